"""GraphQL mutations of attempts: take a quiz, and grade essays."""

from decimal import Decimal
from typing import Any

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.assessment.reads.attempts import attempts_by_key
from lms_graphql.assessment.services import attempts, grading, submission
from lms_graphql.assessment.types.attempts import QuizAttemptPayload
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.validation import REQUIRED_MESSAGE
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import mutation, payload, provided_fields

ATTEMPT_ID = "Id of the attempt."
ATTEMPT_QUESTION_ID = "Id of the question in the attempt (`QuizAttempt.questions`)."


@input_type()
class StartQuizAttemptInput:
    """The quiz to take."""

    quiz_id: strawberry.ID = field("Id of the quiz.")


@input_type(one_of=True)
class AnswerInput:
    """An answer, by the type of the question."""

    option_ids: strawberry.Maybe[list[strawberry.ID]] = field("Ids of the selected options of the attempt.")
    boolean: strawberry.Maybe[bool] = field("Answer to a true/false question.")
    text: strawberry.Maybe[str] = field(
        "Answer to a short-answer question (at most 1,000 characters) or an essay (at most 50,000)."
    )


@input_type()
class SaveAnswerInput:
    """The answer to a question of an open attempt."""

    attempt_id: strawberry.ID = field(ATTEMPT_ID)
    question_id: strawberry.ID = field(ATTEMPT_QUESTION_ID)
    answer: strawberry.Maybe[AnswerInput | None] = field("The answer; null withdraws it. Required.", default=None)


@input_type()
class SubmitQuizAttemptInput:
    """The attempt to submit."""

    attempt_id: strawberry.ID = field(ATTEMPT_ID)


@input_type()
class GradeAnswerInput:
    """The grade of an essay."""

    attempt_id: strawberry.ID = field(ATTEMPT_ID)
    question_id: strawberry.ID = field(ATTEMPT_QUESTION_ID)
    points: Decimal = field("Points, from 0 to those of the question, with at most two decimals.")
    feedback: str | None = field("Feedback for the learner, at most 10,000 characters.", default=None)


@strawberry.type
class AttemptMutations:
    @mutation(has_permission("quiz:take"))
    async def start_quiz_attempt(self, info: Info, input: StartQuizAttemptInput) -> QuizAttemptPayload | None:
        """
        Start an attempt at a quiz. If an attempt of the viewer is open, it is returned instead. Only users who are
        enrolled in the course can do this.

        Returns NOT_ENROLLED without access, NOT_PUBLISHED, and NO_ATTEMPTS_LEFT.
        """
        key = await info.context.write(attempts.start_quiz_attempt, input.quiz_id)
        return await payload(info.context, QuizAttemptPayload, attempt=(attempts_by_key, key))

    @mutation(has_permission("quiz:take"))
    async def save_answer(self, info: Info, input: SaveAnswerInput) -> QuizAttemptPayload | None:
        """
        Save the answer to a question of an open attempt. It replaces the previous answer. Only the learner of the
        attempt can do this. Saving at the deadline is accepted for some seconds more, because the network takes time.

        Returns ATTEMPT_CLOSED if the attempt was submitted or its time is up.
        """
        provided = provided_fields(input)
        if "answer" not in provided:
            raise DomainError(ErrorCode.REQUIRED, REQUIRED_MESSAGE, ("answer",))
        answer = _typed(provided["answer"])
        key = await info.context.write(attempts.save_answer, input.attempt_id, input.question_id, answer)
        return await payload(info.context, QuizAttemptPayload, attempt=(attempts_by_key, key))

    @mutation(has_permission("quiz:take"))
    async def submit_quiz_attempt(self, info: Info, input: SubmitQuizAttemptInput) -> QuizAttemptPayload | None:
        """
        Submit an attempt as it stands. Submitting it again returns the same result. Only the learner of the attempt
        can do this.
        """
        key = await info.context.write(submission.submit_quiz_attempt, input.attempt_id)
        return await payload(info.context, QuizAttemptPayload, attempt=(attempts_by_key, key))

    @mutation(has_permission("attempt:grade"))
    async def grade_answer(self, info: Info, input: GradeAnswerInput) -> QuizAttemptPayload | None:
        """
        Grade an essay of a submitted attempt. Grading it again replaces the grade. Only the course's instructor and
        super admins can do this.

        Returns INVALID for another type of question, and INVALID_TRANSITION if the attempt is open.
        """
        key = await info.context.write(
            grading.grade_answer, input.attempt_id, input.question_id, input.points, input.feedback
        )
        return await payload(info.context, QuizAttemptPayload, attempt=(attempts_by_key, key))


def _typed(answer: AnswerInput | None) -> dict[str, Any] | None:
    """Return the only member that is set, by its name. None withdraws the answer."""
    if answer is None:
        return None
    return {name: value.value for name, value in vars(answer).items() if value is not None}
