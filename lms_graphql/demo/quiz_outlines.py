"""Outlines of demo quizzes: questions, settings, and how learners answer. Read from TOML, or made by a generator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from lms_graphql.assessment.models import KeptScore, PartialCredit, QuestionType, ReviewPolicy
from lms_graphql.assessment.question_content import Option, QuestionContent

LECTURE_QUIZ_PASSING_SCORE = Decimal(50)
QUESTION_DISCRIMINATION = 1.6
"""Default slope of the curve that gives the probability of a right answer from a learner's ability."""


class Outcome(StrEnum):
    """Outcome of an attempt that the demo wants."""

    PASSED = "passed"
    FAILED = "failed"
    WAITING = "waiting"
    """An essay waits for its grade."""
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Essay:
    """An essay that learners write, with its grade: a share of the question's points, from 0 to 1."""

    share: float
    text: str
    feedback: str


@dataclass(frozen=True, slots=True)
class QuestionOutline:
    """
    Outline of a question. The options of `content` have no ids yet.

    `difficulty` is the ability at which half of the learners know the answer. The abilities have mean 0 and standard
    deviation 1. If `discrimination` is negative, good learners are misled. `mistakes` are wrong short answers.
    """

    content: QuestionContent
    difficulty: float = 0.0
    discrimination: float = QUESTION_DISCRIMINATION
    mistakes: tuple[str, ...] = ()
    essays: tuple[Essay, ...] = ()


@dataclass(frozen=True, slots=True)
class QuizOutline:
    """
    Outline of a quiz. The quiz of a lecture has no title of its own. `kept_score` is HIGHEST or LATEST, so that one
    passed attempt passes the quiz.

    Learners take a course-level quiz after the share `taken_at` of the lectures. `seed_learner` has the outcome of
    each attempt of the seed learner.
    """

    questions: tuple[QuestionOutline, ...]
    title: str = ""
    description: str | None = None
    time_limit: int | None = None
    max_attempts: int | None = None
    passing_score: Decimal = LECTURE_QUIZ_PASSING_SCORE
    review_policy: ReviewPolicy = ReviewPolicy.AFTER_SUBMIT
    kept_score: KeptScore = KeptScore.HIGHEST
    shuffle_questions: bool = False
    taken_at: float = 1.0
    seed_learner: tuple[Outcome, ...] = ()


def parse_lecture_quiz(text: Mapping[str, Any]) -> QuizOutline:
    """Parse the quiz of a lecture: a statement and a choice, and after them `questions` of any type."""
    values = {name: value for name, value in text.items() if name not in {"right", "wrong", "questions"}}
    quiz = short_quiz(**values, correct_options=text["right"], wrong_options=text["wrong"])
    return QuizOutline((*quiz.questions, *map(_parse_question, text.get("questions", ()))))


def parse_course_quiz(text: Mapping[str, Any]) -> QuizOutline:
    """Parse a course-level quiz."""
    values = dict(text)
    values["questions"] = tuple(map(_parse_question, text["questions"]))
    values["passing_score"] = Decimal(text["passing_score"])
    values["review_policy"] = ReviewPolicy(text["review_policy"])
    values["kept_score"] = KeptScore(text.get("kept_score", KeptScore.HIGHEST))
    values["seed_learner"] = tuple(map(Outcome, text.get("seed_learner", ())))
    return QuizOutline(**values)


def short_quiz(
    *,
    statement: str,
    is_true: bool,
    reason: str,
    prompt: str,
    correct_options: Sequence[str],
    wrong_options: Sequence[str],
    explanation: str,
) -> QuizOutline:
    """Return the outline of a quiz with a statement, which is true or false, and a choice."""
    true_or_false = QuestionContent(QuestionType.TRUE_FALSE, statement, explanation=reason, correct_answer=is_true)
    credit = PartialCredit.RIGHT_MINUS_WRONG if len(correct_options) > 1 else PartialCredit.ALL_OR_NOTHING
    choice = QuestionContent(
        QuestionType.MULTIPLE_CHOICE,
        prompt,
        explanation=explanation,
        options=_options(correct_options, wrong_options),
        partial_credit=credit,
    )
    return QuizOutline((QuestionOutline(true_or_false), QuestionOutline(choice)))


def _parse_question(text: Mapping[str, Any]) -> QuestionOutline:
    essays = tuple(Essay(**essay) for essay in text.get("essays", ()))
    return QuestionOutline(
        _content(text),
        text.get("difficulty", 0.0),
        text.get("discrimination", QUESTION_DISCRIMINATION),
        tuple(text.get("mistakes", ())),
        essays,
    )


def _content(text: Mapping[str, Any]) -> QuestionContent:
    """Return the content of a question. Its fields decide the type."""
    content = QuestionContent(
        QuestionType.ESSAY, text["prompt"], Decimal(text.get("points", 1)), text.get("explanation")
    )
    if "is_true" in text:
        return content._replace(type=QuestionType.TRUE_FALSE, correct_answer=text["is_true"])
    if "accepted" in text:
        return content._replace(type=QuestionType.SHORT_ANSWER, accepted_answers=tuple(text["accepted"]))
    if "right" in text:
        return content._replace(
            type=QuestionType.MULTIPLE_CHOICE,
            options=_options(text["right"], text["wrong"]),
            partial_credit=PartialCredit(text.get("partial_credit", PartialCredit.ALL_OR_NOTHING)),
        )
    return content


def _options(right: Sequence[str], wrong: Sequence[str]) -> tuple[Option, ...]:
    return (*(Option("", option, True) for option in right), *(Option("", option, False) for option in wrong))
