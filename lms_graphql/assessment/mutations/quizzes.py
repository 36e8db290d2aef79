"""GraphQL mutations with which course staff write quizzes."""

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.assessment.models import KeptScore, ReviewPolicy
from lms_graphql.assessment.reads.accommodations import accommodations_by_key
from lms_graphql.assessment.reads.quizzes import quizzes_by_key
from lms_graphql.assessment.services import accommodations, quizzes
from lms_graphql.assessment.types.attempts import QuizAccommodationPayload
from lms_graphql.assessment.types.quizzes import QuizPayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.idempotency import IDEMPOTENCY_KEY, created_payload, once
from lms_graphql.graph.schema.mutations import DeletePayload, mutation, payload, provided_fields

TITLE = "Title, one line of at most 200 characters."
DESCRIPTION = "Description, at most 10,000 characters."
TIME_LIMIT = "Time for an attempt, in seconds (1–604,800); null does not limit it."
MAX_ATTEMPTS = "Number of attempts of each learner (1–1,000); null does not limit it."
PASSING_SCORE = "Score that is needed to pass, in percent (0–100, at most two decimals)."
SHUFFLE = "Whether each attempt has the questions and options in an order of its own."
REVIEW_POLICY = "When a learner may see what was right."
KEPT_SCORE = "Rule by which the attempts of a learner decide about passing."


@input_type()
class CreateQuizInput:
    """A quiz to create. It has no questions and is not published."""

    course_id: strawberry.ID = field("Id of the course.")
    title: str = field(TITLE)
    description: str | None = field(DESCRIPTION, default=None)
    time_limit_seconds: int | None = field(TIME_LIMIT, default=None)
    max_attempts: int | None = field(MAX_ATTEMPTS, default=1)
    passing_score: float | None = field(PASSING_SCORE, default=70)
    shuffle_questions: bool | None = field(SHUFFLE, default=False)
    review_policy: ReviewPolicy | None = field(REVIEW_POLICY, default=ReviewPolicy.AFTER_SUBMIT)
    kept_score: KeptScore | None = field(KEPT_SCORE, default=KeptScore.HIGHEST)
    idempotency_key: str | None = field(IDEMPOTENCY_KEY, default=None)


@input_type()
class UpdateQuizInput:
    """Fields of a quiz to change. An omitted field keeps its value."""

    quiz_id: strawberry.ID = field("Id of the quiz.")
    title: strawberry.Maybe[str | None] = field(TITLE, default=None)
    description: strawberry.Maybe[str | None] = field(DESCRIPTION, default=None)
    time_limit_seconds: strawberry.Maybe[int | None] = field(TIME_LIMIT, default=None)
    max_attempts: strawberry.Maybe[int | None] = field(MAX_ATTEMPTS, default=None)
    passing_score: strawberry.Maybe[float | None] = field(PASSING_SCORE, default=None)
    shuffle_questions: strawberry.Maybe[bool | None] = field(SHUFFLE, default=None)
    review_policy: strawberry.Maybe[ReviewPolicy | None] = field(REVIEW_POLICY, default=None)
    kept_score: strawberry.Maybe[KeptScore | None] = field(KEPT_SCORE, default=None)


@input_type()
class SetQuizPublishedInput:
    """A quiz to publish or to unpublish."""

    quiz_id: strawberry.ID = field("Id of the quiz.")
    is_published: bool = field("Whether the quiz is published from now on.")


@input_type()
class QuizIdInput:
    """The quiz to delete."""

    quiz_id: strawberry.ID = field("Id of the quiz.")


@input_type()
class SetQuizAccommodationInput:
    """Extra time and extra attempts of a learner. Both 0 remove the accommodation."""

    quiz_id: strawberry.ID = field("Id of the quiz.")
    user_id: strawberry.ID = field("Id of a learner who is or was enrolled in the course.")
    extra_time_percent: int | None = field("Extra time in percent of the time limit (0–400).", default=0)
    extra_attempts: int | None = field("Attempts in addition to those of the quiz (0–100).", default=0)
    note: str | None = field("Reason, at most 1,000 characters. The learner can read it.", default=None)


@strawberry.type
class QuizMutations:
    @mutation(has_permission("quiz:create"))
    async def create_quiz(self, info: Info, input: CreateQuizInput) -> QuizPayload | None:
        """Add a quiz to a course. Only the course's instructor and super admins can do this.

        Returns LIMIT_REACHED if the course has 100 quizzes.
        """
        fields = {name: value for name, value in vars(input).items() if name not in {"course_id", "idempotency_key"}}
        key = await info.context.write(once(info, input, quizzes.create_quiz), input.course_id, fields)
        return await created_payload(info.context, input, QuizPayload, quiz=(quizzes_by_key, key))

    @mutation(has_permission("quiz:create"))
    async def update_quiz(self, info: Info, input: UpdateQuizInput) -> QuizPayload | None:
        """
        Change the settings of a quiz. Attempts that were started keep their deadline, and graded ones their result.
        Only the course's instructor and super admins can do this.
        """
        key = await info.context.write(quizzes.update_quiz, input.quiz_id, provided_fields(input))
        return await payload(info.context, QuizPayload, quiz=(quizzes_by_key, key))

    @mutation(has_permission("quiz:create"))
    async def set_quiz_published(self, info: Info, input: SetQuizPublishedInput) -> QuizPayload | None:
        """Publish or unpublish a quiz. Only the course's instructor and super admins can do this.

        Returns NOT_READY if the quiz has no questions, and IN_USE if a lecture of a published course needs it.
        """
        key = await info.context.write(quizzes.set_quiz_published, input.quiz_id, input.is_published)
        return await payload(info.context, QuizPayload, quiz=(quizzes_by_key, key))

    @mutation(has_permission("quiz:create"))
    async def delete_quiz(self, info: Info, input: QuizIdInput) -> DeletePayload | None:
        """Delete a quiz with its questions. Only the course's instructor and super admins can do this.

        Returns IN_USE if the quiz has attempts, or if a lecture of a published course needs it.
        """
        course = await info.context.write(quizzes.delete_quiz, input.quiz_id)
        return DeletePayload(deleted_id=input.quiz_id, course_key=course)

    @mutation(has_permission("attempt:grade"))
    async def set_quiz_accommodation(
        self, info: Info, input: SetQuizAccommodationInput
    ) -> QuizAccommodationPayload | None:
        """
        Give a learner extra time and extra attempts. More time also lengthens an attempt that is open; less time
        never shortens one. Only the course's instructor and super admins can do this.
        """
        key = await info.context.write(
            accommodations.set_quiz_accommodation,
            input.quiz_id,
            input.user_id,
            input.extra_time_percent,
            input.extra_attempts,
            input.note,
        )
        if key is None:
            return QuizAccommodationPayload()
        return await payload(info.context, QuizAccommodationPayload, accommodation=(accommodations_by_key, key))
