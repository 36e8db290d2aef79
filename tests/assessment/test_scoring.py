"""Scoring: worked examples for every type, and properties that hold for all quizzes."""

from decimal import ROUND_DOWN, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_graphql.assessment import scoring
from lms_graphql.assessment.models import AttemptStatus, PartialCredit, QuestionType
from lms_graphql.assessment.question_content import Option, QuestionContent
from lms_graphql.assessment.scoring import Answer

CREDITS = list(PartialCredit)


def multiple_choice(right: int, wrong: int, credit: PartialCredit, points: Decimal = Decimal(6)) -> QuestionContent:
    """Return a question with the options r0, r1 … and w0, w1 …"""
    options = [Option(f"r{number}", f"right {number}", True) for number in range(right)]
    options += [Option(f"w{number}", f"wrong {number}", False) for number in range(wrong)]
    return QuestionContent(QuestionType.MULTIPLE_CHOICE, "?", points, options=tuple(options), partial_credit=credit)


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        ("", ("0", "0", "0")),
        ("r0 r1 r2 w0 w1", ("0", "2.00", "0")),
        ("r0 r1 w0", ("0", "2.00", "4.00")),
        ("r0 r1 r2", ("6", "6", "6")),
        ("r0", ("0", "2.00", "2.00")),
        ("w0 w1", ("0", "0", "0")),
        ("r0 w0 w1", ("0", "0", "2.00")),
    ],
)
def test_partial_credit_of_three_right_of_five(selected: str, expected: tuple[str, str, str]) -> None:
    answer = Answer(frozenset(selected.split()))
    earned = [scoring.earned_points(multiple_choice(3, 2, credit), answer) for credit in CREDITS]
    assert earned == [Decimal(points) for points in expected]


@pytest.mark.parametrize("credit", CREDITS)
def test_single_choice_is_all_or_nothing(credit: PartialCredit) -> None:
    question = multiple_choice(1, 3, credit)
    assert scoring.earned_points(question, Answer(frozenset({"r0"}))) == 6
    assert scoring.earned_points(question, Answer(frozenset({"w0"}))) == 0


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        (" Tariff ", True),
        ("TARIFF", True),
        ("tar  iff", False),
        ("Ｔａｒｉｆｆ", True),
        ("cafe\u0301", True),
        ("new \u00a0 york", True),
        ("NEWYORK", False),
        ("STRASSE", True),
        ("", False),
    ],
)
def test_short_answer_ignores_case_width_and_outer_spaces(text: str, is_right: bool) -> None:
    accepted = ("tariff", "café", "New York", "Straße")
    question = QuestionContent(QuestionType.SHORT_ANSWER, "?", accepted_answers=accepted)
    assert scoring.earned_points(question, Answer(text=text)) == (1 if is_right else 0)


@pytest.mark.parametrize("right", [True, False])
def test_true_false_is_all_or_nothing(right: bool) -> None:
    question = QuestionContent(QuestionType.TRUE_FALSE, "?", Decimal("2.5"), correct_answer=right)
    assert scoring.earned_points(question, Answer(boolean=right)) == Decimal("2.5")
    assert scoring.earned_points(question, Answer(boolean=not right)) == 0
    assert scoring.earned_points(question, scoring.NO_ANSWER) == 0


def test_essay_waits_for_a_person_unless_it_is_blank() -> None:
    question = QuestionContent(QuestionType.ESSAY, "?")
    assert scoring.earned_points(question, Answer(text="Because.")) is None
    assert scoring.earned_points(question, Answer(text=" \n")) == 0


@pytest.mark.parametrize(
    ("earned", "total", "passing", "percent", "passes"),
    [
        ("39", "56", "70", "69.64", False),
        ("139.99", "200", "70", "69.995", False),
        ("140", "200", "70", "70.00", True),
        ("199", "200", "80", "99.50", True),
        ("20", "21", "80", "95.24", True),
        ("99999.99", "100000", "80", "99.99", True),
        ("1", "20", "70", "5.00", False),
        ("2", "3", "66.67", "66.667", False),
        ("0", "3", "0", "0.00", True),
    ],
)
def test_displayed_percent_never_looks_like_another_result(
    earned: str, total: str, passing: str, percent: str, passes: bool
) -> None:
    points = Decimal(earned), Decimal(total)
    displayed = scoring.displayed_percent(*points, Decimal(passing))
    assert scoring.has_passing_score(*points, Decimal(passing)) is passes
    assert (displayed >= Decimal(passing)) is passes
    assert str(displayed) == percent or (percent == "66.667" and str(displayed).startswith("66.66"))


@given(
    right=st.integers(1, 10),
    wrong=st.integers(0, 10),
    credit=st.sampled_from(CREDITS),
    points=st.decimals("0.01", "1000", places=2),
    data=st.data(),
)
def test_points_stay_between_zero_and_those_of_the_question(
    right: int, wrong: int, credit: PartialCredit, points: Decimal, data: st.DataObject
) -> None:
    question = multiple_choice(right, wrong, credit, points)
    selected = data.draw(st.sets(st.sampled_from([option.id for option in question.options])))
    earned = scoring.earned_points(question, Answer(frozenset(selected)))
    assert earned is not None
    assert 0 <= earned <= points
    assert earned == earned.quantize(Decimal("0.01"))
    correct = {option.id for option in question.options if option.is_correct}
    if selected == correct:
        assert earned == points
    if not selected & correct:
        assert earned == 0


@given(kind=st.sampled_from(QuestionType), points=st.decimals("0.01", "1000", places=2), text=st.text())
def test_answer_in_words_earns_all_nothing_or_waits(kind: QuestionType, points: Decimal, text: str) -> None:
    content = QuestionContent(kind, "?", points, correct_answer=True, accepted_answers=("a", "B c"))
    answers = [Answer(text=text), Answer(text=f" {text.upper()}"), Answer(boolean=len(text) % 2 == 0), Answer()]
    for answer in answers:
        earned = scoring.earned_points(content, answer)
        assert earned in (0, points) or (earned is None and kind is QuestionType.ESSAY)


@given(
    questions=st.lists(
        st.tuples(st.decimals("0.01", "1000", places=2), st.none() | st.fractions(0, 1)), min_size=1, max_size=20
    ),
    passing=st.decimals("0", "100", places=2),
)
def test_points_of_an_attempt_are_the_sum_of_its_questions(
    questions: list[tuple[Decimal, Fraction | None]], passing: Decimal
) -> None:
    """A question has its points and the share that was earned; None waits for a grade."""
    total = sum((points for points, _ in questions), Decimal(0))
    earned = [
        None
        if share is None
        else (points * share.numerator / share.denominator).quantize(Decimal("0.01"), ROUND_DOWN)
        for points, share in questions
    ]
    result = scoring.attempt_result(earned, total, passing)
    assert result.earned_points == sum(points or 0 for points in earned)
    assert 0 <= result.earned_points <= total
    is_waiting = None in earned
    assert result.status is (AttemptStatus.GRADING if is_waiting else AttemptStatus.GRADED)
    assert (result.passed is None) is is_waiting
    if all(share == 1 for _, share in questions):
        assert result.passed is True


@given(
    earned=st.decimals("0", "1000", places=2),
    more=st.decimals("0.01", "1000", places=2),
    passing=st.decimals("0", "100", places=2),
)
def test_displayed_percent_agrees_with_passing(earned: Decimal, more: Decimal, passing: Decimal) -> None:
    total = earned + more
    displayed = scoring.displayed_percent(earned, total, passing)
    assert (displayed >= passing) is scoring.has_passing_score(earned, total, passing)
    assert displayed < 100
