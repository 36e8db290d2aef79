"""GraphQL mutations of questions about lectures."""

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.discussion.mutations.notes import CONTENT, POSITION
from lms_graphql.discussion.reads.questions import questions_by_key
from lms_graphql.discussion.services import answers, questions, votes
from lms_graphql.discussion.types import QAQuestionPayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.idempotency import IDEMPOTENCY_KEY, created_payload, once
from lms_graphql.graph.schema.mutations import DeletePayload, mutation, payload, provided_fields
from lms_graphql.graph.schema.permissions import IsSignedIn

TITLE = "Title, one line of at most 200 characters."


@input_type()
class AskQuestionInput:
    """A question to ask."""

    lecture_id: strawberry.ID = field("Id of the lecture.")
    title: str = field(TITLE)
    content: str = field(CONTENT)
    position_seconds: int | None = field(POSITION, default=None)
    idempotency_key: str | None = field(IDEMPOTENCY_KEY, default=None)


@input_type()
class UpdateQAQuestionInput:
    """Fields of a question to change. An omitted field keeps its value."""

    question_id: strawberry.ID = field("Id of the question.")
    title: strawberry.Maybe[str | None] = field(TITLE, default=None)
    content: strawberry.Maybe[str | None] = field(CONTENT, default=None)


@input_type()
class QAQuestionIdInput:
    """The question to delete."""

    question_id: strawberry.ID = field("Id of the question.")


@input_type()
class FeatureQAQuestionInput:
    """A question to feature, or to stop featuring."""

    question_id: strawberry.ID = field("Id of the question.")
    is_featured: bool = field("Whether the question is featured from now on.")


@input_type()
class VoteQAQuestionInput:
    """A vote for a question, or its withdrawal."""

    question_id: strawberry.ID = field("Id of the question.")
    vote: bool = field("True votes for the question, false withdraws the vote.")


@input_type()
class AcceptAnswerInput:
    """The answer to accept, or null to withdraw the acceptance."""

    question_id: strawberry.ID = field("Id of the question.")
    answer_id: strawberry.Maybe[strawberry.ID | None] = field(
        "Id of an answer to the question; null withdraws the acceptance. Required.", default=None
    )


@strawberry.type
class QuestionMutations:
    @mutation(has_permission("question:ask"))
    async def ask_question(self, info: Info, input: AskQuestionInput) -> QAQuestionPayload | None:
        """Ask a question about a lecture. Only course staff and users with access to the course can do this.

        Returns NOT_ENROLLED without access, and FEATURE_DISABLED if the course does not allow questions and answers.
        """
        context, title, content = info.context, input.title, input.content
        ask = once(info, input, questions.ask_question)
        key = await context.write(ask, input.lecture_id, title, content, input.position_seconds)
        return await created_payload(context, input, QAQuestionPayload, question=(questions_by_key, key))

    @mutation(has_permission("question:ask"))
    async def update_qa_question(self, info: Info, input: UpdateQAQuestionInput) -> QAQuestionPayload | None:
        """Change the title or text of a question. Only its author can do this."""
        context = info.context
        key = await context.write(questions.update_question, input.question_id, provided_fields(input))
        return await payload(context, QAQuestionPayload, question=(questions_by_key, key))

    @mutation(IsSignedIn)
    async def delete_qa_question(self, info: Info, input: QAQuestionIdInput) -> DeletePayload | None:
        """Delete a question with its answers and replies. Only the author and course staff can do this."""
        course = await info.context.write(questions.delete_question, input.question_id)
        return DeletePayload(deleted_id=input.question_id, course_key=course)

    @mutation(has_permission("question:answer"))
    async def feature_qa_question(self, info: Info, input: FeatureQAQuestionInput) -> QAQuestionPayload | None:
        """Feature a question, or stop featuring it. Only course staff can do this."""
        context = info.context
        key = await context.write(questions.feature_question, input.question_id, input.is_featured)
        return await payload(context, QAQuestionPayload, question=(questions_by_key, key))

    @mutation(IsSignedIn)
    async def vote_qa_question(self, info: Info, input: VoteQAQuestionInput) -> QAQuestionPayload | None:
        """
        Vote for a question of another user, or withdraw the vote. Only course staff and users with access to the
        course can do this. Withdrawing needs no access. Voting again changes nothing. For the viewer's own question
        the error is FORBIDDEN.

        Returns NOT_ENROLLED without access.
        """
        context = info.context
        key = await context.write(votes.vote_question, input.question_id, input.vote)
        return await payload(context, QAQuestionPayload, question=(questions_by_key, key))

    @mutation(IsSignedIn)
    async def accept_answer(self, info: Info, input: AcceptAnswerInput) -> QAQuestionPayload | None:
        """
        Accept an answer to a question, or withdraw the acceptance. Only the question's author and course staff can do
        this.

        Returns REQUIRED if `answerId` is omitted, and INVALID if the answer is a reply or belongs to another
        question.
        """
        context = info.context
        key = await context.write(answers.accept_answer, input.question_id, provided_fields(input))
        return await payload(context, QAQuestionPayload, question=(questions_by_key, key))
