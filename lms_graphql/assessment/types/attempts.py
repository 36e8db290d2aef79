"""GraphQL types of attempts and accommodations, and the fields of quizzes that return them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry

from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.accounts.types import User
from lms_graphql.assessment.models import AttemptStatus, QuestionType
from lms_graphql.assessment.reads import accommodations, attempt_questions, attempts
from lms_graphql.assessment.reads.quizzes import quizzes_by_key
from lms_graphql.assessment.types.quizzes import IsQuizStaff, Quiz
from lms_graphql.core.pagination import PageArguments
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.connections import After, Before, Connection, First, Last
from lms_graphql.graph.schema.fields import field, object_type, resolver_field
from lms_graphql.graph.schema.mutations import UserError, errors_field
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.permissions import require
from lms_graphql.graph.schema.type_extensions import extend_type

StatusFilter = Annotated[
    AttemptStatus | None, strawberry.argument(description="Only attempts with this status; null returns all.")
]


@object_type
class AttemptOption:
    """An option as a learner meets it."""

    id: strawberry.ID = field("Opaque id, unique to the attempt. `saveAnswer` takes it.")
    text: str = field("Text of the option.")


@object_type
class AttemptAnswer:
    """A learner's answer to a question. Only the field of the question's type is filled."""

    option_ids: list[strawberry.ID] = field("Selected options of a multiple-choice question; else empty.")
    boolean: bool | None = field("Answer to a true/false question; else null.")
    text: str | None = field("Answer to a short-answer or essay question; else null.")
    saved_at: datetime = field("When the answer was saved last.")


@object_type
class AnswerResult:
    """Result of an answer, and what was right."""

    is_correct: bool | None = field("Whether the answer earned all points.")
    earned_points: Decimal | None = field("Points for the answer.")
    feedback: str | None = field("Feedback of the person who graded the essay; null if there is none.")
    correct_option_ids: list[strawberry.ID] = field("Correct options of a multiple-choice question; else empty.")
    correct_answer: str | None = field(
        "`true` or `false` for a true/false question, the accepted answers of a short-answer question; else null."
    )
    explanation: str | None = field("Explanation of the author; null if there is none.")


@object_type
class AttemptQuestion:
    """A question as a learner meets it. Only `result` says what is right."""

    id: strawberry.ID = field(
        "Opaque id, unique to the attempt. `saveAnswer` and `gradeAnswer` take it as `questionId`. "
        "It says nothing about the order of the author."
    )
    type: QuestionType = field("Type of the question.")
    prompt: str = field("Text of the question when the attempt was started: Markdown.")
    points: Decimal = field("Points for a correct answer.")
    options: list[AttemptOption] = field("Options of a multiple-choice question, in the learner's order; else empty.")
    allows_several: bool = field("Whether more than one option may be selected.")
    answer: AttemptAnswer | None = field("The saved answer; null if there is none.")
    result: AnswerResult | None = field(
        "Result of the answer. Null for learners until the quiz's review policy allows it, and until it is graded."
    )


@object_type
class QuizAttempt(Node):
    """An attempt at a quiz, with its own copy of the questions. Visible to its learner and to course staff."""

    number: int = field("Number among the learner's attempts at the quiz, from 1.")
    status: AttemptStatus = field("Status. After the deadline and the grace an open attempt counts as submitted.")
    started_at: datetime = field("When the attempt was started.")
    deadline_at: datetime | None = field("Answers saved after it do not count; null without a time limit.")
    submitted_at: datetime | None = field(
        "When the attempt was submitted, at the latest the deadline; null while open."
    )
    remaining_seconds: int | None = field("Whole seconds until the deadline; null without a limit or if closed.")
    total_points: Decimal = field("Sum of the points of all questions.")
    earned_points: Decimal | None = field("Points so far; null while IN_PROGRESS, without essays while GRADING.")
    score_percent: float | None = field(
        "Points in percent of all points, with two decimals, or more if it looked like a pass that it is not."
    )
    passed: bool | None = field("Whether the attempt reached the passing score; null until everything is graded.")
    user_key: strawberry.Private[int]
    quiz_key: strawberry.Private[int]

    @resolver_field()
    def quiz(self, info: Info) -> Quiz:
        """The quiz."""
        return info.context.load(quizzes_by_key, self.quiz_key)

    @resolver_field()
    def user(self, info: Info) -> User:
        """The learner."""
        return info.context.load(users_by_key, self.user_key)

    @resolver_field()
    def questions(self, info: Info) -> list[AttemptQuestion]:
        """Questions as drawn when the attempt was started, in the learner's order (at most 200)."""
        return info.context.load_list(attempt_questions.questions_by_attempt, self.key)


@object_type
class QuizAccommodation(Node):
    """Extra time and extra attempts for one learner in one quiz. Visible to the learner and to course staff."""

    extra_time_percent: int = field("Extra time in percent of the time limit (0–400).")
    extra_attempts: int = field("Attempts in addition to those of the quiz (0–100).")
    note: str | None = field("Reason; null if none was given. The learner can read it.")
    created_at: datetime = field("When the accommodation was first set.")
    updated_at: datetime = field("When the accommodation was last changed.")
    quiz_key: strawberry.Private[int]
    user_key: strawberry.Private[int]

    @resolver_field()
    def quiz(self, info: Info) -> Quiz:
        """The quiz."""
        return info.context.load(quizzes_by_key, self.quiz_key)

    @resolver_field()
    def user(self, info: Info) -> User:
        """The learner."""
        return info.context.load(users_by_key, self.user_key)


@object_type
class QuizAttemptPayload:
    """Result of a mutation of an attempt: the attempt, or errors."""

    attempt: QuizAttempt | None = field("The attempt after the change; null if there are errors.", default=None)
    errors: list[UserError] = errors_field()


@object_type
class QuizAccommodationPayload:
    """Result of setting an accommodation: the accommodation, or errors."""

    accommodation: QuizAccommodation | None = field(
        "The accommodation after the change; null if it was removed, or if there are errors.", default=None
    )
    errors: list[UserError] = errors_field()


@extend_type(Quiz)
def viewer_attempts(quiz: strawberry.Parent[Quiz], info: Info) -> list[QuizAttempt]:
    """The viewer's own attempts, newest first (the last 100)."""
    return info.context.load_list(attempts.viewer_attempts_by_quiz, quiz.key)


@extend_type(Quiz, name="attempts", extensions=[require(IsQuizStaff)])
def attempts_of_quiz(
    quiz: strawberry.Parent[Quiz],
    info: Info,
    status: StatusFilter = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[QuizAttempt] | None:
    """Course staff only. All attempts, newest first."""
    page = PageArguments(first, after, last, before)
    return info.context.page(attempts.attempts_of_quiz(status), page, quiz.key)


@extend_type(Quiz, name="accommodations", extensions=[require(IsQuizStaff)])
def accommodations_of_quiz(
    quiz: strawberry.Parent[Quiz],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[QuizAccommodation] | None:
    """Course staff only. Learners with extra time or extra attempts, newest first."""
    page = PageArguments(first, after, last, before)
    return info.context.page(accommodations.accommodations_of_quiz(), page, quiz.key)
