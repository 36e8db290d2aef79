"""Demo attempts at quizzes: how often a learner takes a quiz, with which answers, and when."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import NamedTuple

from lms_graphql.assessment import attempt_rules, scoring
from lms_graphql.assessment.models import AttemptStatus, QuizAccommodation
from lms_graphql.demo.attempt_rows import AnsweredQuestion, DemoAttempt, add_attempt
from lms_graphql.demo.quiz_answers import draw_answer
from lms_graphql.demo.quiz_outlines import Outcome
from lms_graphql.demo.quizzes import DemoQuestion, DemoQuiz
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.timeline import TODAY

ATTEMPTS, ATTEMPT_WEIGHTS = (1, 2, 3), (3, 4, 3)
"""Number of attempts after which a learner who has not passed gives up."""
REPEAT_PROBABILITY = 0.25
"""Probability that a learner who has passed uses another attempt."""
LEARNED_PER_ATTEMPT = 0.6
"""Increase of the ability from one attempt to the next."""
ABILITY_STEP = 0.3
"""Change of the ability from one draw of the answers to the next, until they have the wanted outcome."""
ABANDONED_PROBABILITY = 0.04
"""Probability that the last attempt at a quiz without a time limit stays open."""
ACCOMMODATION_PROBABILITY = 0.08
EXTRA_TIME_PERCENTS = (25, 50)
ACCOMMODATION_NOTES = ("Uses a screen reader.", "Takes the quiz in a second language.", "Agreed by e-mail.")
MIN_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 5 * 60, 30 * 60
"""Time between two attempts."""
MIN_GRADING_SECONDS, MAX_GRADING_SECONDS = 3 * 3600, 4 * 24 * 3600
"""Time from the submission of an essay to its grade."""
GRADING_BACKLOG = timedelta(days=60)
"""Essays of the last two months wait for their grade, except those of learners who have completed the course."""


class Learner(NamedTuple):
    """Learner who takes quizzes. The abilities of all learners have mean 0 and standard deviation 1."""

    user_key: int
    ability: float
    rng: Random
    is_seed_learner: bool = False


class Accommodation(NamedTuple):
    extra_time_percent: int = 0
    extra_attempts: int = 0


NO_ACCOMMODATION = Accommodation()


class TakenQuiz(NamedTuple):
    """When a learner passed a quiz, or None, and when an attempt at it changed last."""

    passed_at: datetime | None
    last_change: datetime


class AttemptBuilder:
    """Builder of attempts at quizzes and of accommodations. The grace is that for answers after the deadline."""

    def __init__(self, rows: RowBuffer, grace_seconds: int) -> None:
        self._rows = rows
        self._grace_seconds = grace_seconds

    def take_quiz(
        self, learner: Learner, quiz: DemoQuiz, instructor_key: int, started_at: datetime, must_pass: bool
    ) -> TakenQuiz:
        """Add the attempts of a learner at a quiz. A learner who must pass passes with the last one."""
        accommodation = self._add_accommodation(learner, quiz, started_at)
        passed_at, last_change, is_scripted = None, started_at, _is_scripted(learner, quiz)
        for number, outcome in enumerate(_outcomes(learner, quiz, accommodation, must_pass), 1):
            attempt = self._new_attempt(learner, quiz, number, outcome, started_at, accommodation)
            if _is_graded(attempt, outcome, must_pass):
                attempt = _with_grade(attempt, instructor_key, learner.rng)
            result = add_attempt(self._rows, attempt)
            last_change = attempt.last_change
            if result["is_passed"] and passed_at is None:
                passed_at = last_change
            if passed_at is not None and not is_scripted and learner.rng.random() >= REPEAT_PROBABILITY:
                break
            started_at = last_change + _pause(learner.rng)
            if result["status"] is not AttemptStatus.GRADED or started_at >= TODAY:
                break
        return TakenQuiz(passed_at, last_change)

    def _add_accommodation(self, learner: Learner, quiz: DemoQuiz, created_at: datetime) -> Accommodation:
        """Add extra time and an extra attempt for some learners, if the quiz limits both."""
        rng, outline = learner.rng, quiz.outline
        if outline.time_limit is None or outline.max_attempts is None:
            return NO_ACCOMMODATION
        if not learner.is_seed_learner and rng.random() >= ACCOMMODATION_PROBABILITY:
            return NO_ACCOMMODATION
        accommodation = Accommodation(rng.choice(EXTRA_TIME_PERCENTS), 1)
        self._rows.add(
            QuizAccommodation,
            id=self._rows.next_key(QuizAccommodation),
            created_at=created_at,
            updated_at=created_at,
            quiz_id=quiz.key,
            user_id=learner.user_key,
            note=rng.choice(ACCOMMODATION_NOTES),
            **accommodation._asdict(),
        )
        return accommodation

    def _new_attempt(
        self,
        learner: Learner,
        quiz: DemoQuiz,
        number: int,
        outcome: Outcome | None,
        started_at: datetime,
        accommodation: Accommodation,
    ) -> DemoAttempt:
        """Return an attempt without a grade."""
        rng, outline = learner.rng, quiz.outline
        seed = rng.randbytes(attempt_rules.SHUFFLE_SEED_BYTES).hex() if outline.shuffle_questions else None
        questions = attempt_rules.shuffled(quiz.questions, seed, lambda question: question.key)
        deadline_at = attempt_rules.deadline(started_at, outline.time_limit, accommodation.extra_time_percent)
        ability = learner.ability + LEARNED_PER_ATTEMPT * (number - 1)
        answered, finished_at = _answer_questions(questions, started_at, deadline_at, outcome, ability, rng)
        while not _has_outcome(answered, outline.passing_score, outcome):
            ability += ABILITY_STEP if outcome is Outcome.PASSED else -ABILITY_STEP
            answered, finished_at = _answer_questions(questions, started_at, deadline_at, outcome, ability, rng)
        return DemoAttempt(
            learner.user_key,
            quiz,
            number,
            answered,
            seed,
            started_at,
            deadline_at,
            attempt_rules.closing_time(deadline_at, self._grace_seconds),
            None if outcome is Outcome.OPEN else finished_at,
        )


def _is_scripted(learner: Learner, quiz: DemoQuiz) -> bool:
    return learner.is_seed_learner and bool(quiz.outline.seed_learner)


def _outcomes(
    learner: Learner, quiz: DemoQuiz, accommodation: Accommodation, must_pass: bool
) -> Sequence[Outcome | None]:
    """Return the wanted outcome of each attempt that the learner may make. None leaves it to the answers."""
    rng, outline = learner.rng, quiz.outline
    if _is_scripted(learner, quiz):
        return outline.seed_learner
    if must_pass:
        # A grade takes days, and a second one would take the completion beyond the last day of the demo.
        return (Outcome.PASSED,) if quiz.has_essay or rng.random() < 0.7 else (None, Outcome.PASSED)
    number = rng.choices(ATTEMPTS, ATTEMPT_WEIGHTS)[0]
    left = attempt_rules.attempts_left(outline.max_attempts, accommodation.extra_attempts, used=0)
    outcomes: list[Outcome | None] = [None] * (number if left is None else min(number, left))
    if outline.time_limit is None and rng.random() < ABANDONED_PROBABILITY:
        outcomes[-1] = Outcome.OPEN
    return outcomes


def _answer_questions(
    questions: Sequence[DemoQuestion],
    started_at: datetime,
    deadline_at: datetime | None,
    outcome: Outcome | None,
    ability: float,
    rng: Random,
) -> tuple[list[AnsweredQuestion], datetime]:
    """Return the questions with answers, and when the attempt is finished. An open attempt is half done."""
    answered, time = list[AnsweredQuestion](), started_at
    for number, question in enumerate(questions):
        given = draw_answer(question, ability, rng)
        is_reached = outcome is not Outcome.OPEN or number < len(questions) / 2
        time += timedelta(seconds=given.seconds if is_reached else 0)
        is_saved = is_reached and not given.answer.is_blank and (deadline_at is None or time <= deadline_at)
        if is_saved:
            answered.append(AnsweredQuestion(question, given.answer, given.essay, time))
        else:
            answered.append(AnsweredQuestion(question, scoring.NO_ANSWER, None, None))
    time += timedelta(seconds=rng.randint(2, 30))
    return answered, time if deadline_at is None else min(time, deadline_at)


def _has_outcome(answered: Sequence[AnsweredQuestion], passing_score: Decimal, outcome: Outcome | None) -> bool:
    """Return whether the attempt has the wanted outcome after its essays are graded."""
    if outcome is Outcome.WAITING:
        return any(question.essay for question in answered)
    if outcome not in (Outcome.PASSED, Outcome.FAILED):
        return True
    points = [question.earned_points(is_graded=True) for question in answered]
    total = scoring.total_earned(question.question.content.points for question in answered)
    passed = scoring.attempt_result(points, total, passing_score).passed
    return passed is (outcome is Outcome.PASSED)


def _is_graded(attempt: DemoAttempt, outcome: Outcome | None, must_pass: bool) -> bool:
    """Return whether the essays of the attempt are graded. The latest ones still wait."""
    if attempt.submitted_at is None or outcome is Outcome.WAITING or not any(row.essay for row in attempt.questions):
        return False
    return must_pass or outcome is not None or attempt.submitted_at < TODAY - GRADING_BACKLOG


def _with_grade(attempt: DemoAttempt, instructor_key: int, rng: Random) -> DemoAttempt:
    assert attempt.submitted_at is not None
    graded_at = attempt.submitted_at + timedelta(seconds=rng.randint(MIN_GRADING_SECONDS, MAX_GRADING_SECONDS))
    return attempt._replace(graded_by_key=instructor_key, graded_at=min(graded_at, TODAY))


def _pause(rng: Random) -> timedelta:
    return timedelta(seconds=rng.randint(MIN_PAUSE_SECONDS, MAX_PAUSE_SECONDS))
