"""GraphQL mutations of answers and replies."""

import strawberry

from lms_graphql.discussion.mutations.notes import CONTENT
from lms_graphql.discussion.reads.answers import answers_by_key
from lms_graphql.discussion.services import answers, votes
from lms_graphql.discussion.types import QAAnswerPayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.idempotency import IDEMPOTENCY_KEY, created_payload, once
from lms_graphql.graph.schema.mutations import DeletePayload, mutation, payload
from lms_graphql.graph.schema.permissions import IsSignedIn


@input_type()
class AnswerQuestionInput:
    """An answer to a question, or a reply to one of its answers."""

    question_id: strawberry.ID = field("Id of the question.")
    content: str = field(CONTENT)
    parent_id: strawberry.ID | None = field(
        "For a reply, the id of an answer to the same question; null for an answer.", default=None
    )
    idempotency_key: str | None = field(IDEMPOTENCY_KEY, default=None)


@input_type()
class UpdateQAAnswerInput:
    """The new text of an answer or reply."""

    answer_id: strawberry.ID = field("Id of the answer or reply.")
    content: str = field(CONTENT)


@input_type()
class QAAnswerIdInput:
    """The answer or reply to delete."""

    answer_id: strawberry.ID = field("Id of the answer or reply.")


@input_type()
class VoteQAAnswerInput:
    """A vote for an answer, or its withdrawal."""

    answer_id: strawberry.ID = field("Id of the answer or reply.")
    vote: bool = field("True votes for the answer, false withdraws the vote.")


@strawberry.type
class AnswerMutations:
    @mutation(IsSignedIn)
    async def answer_question(self, info: Info, input: AnswerQuestionInput) -> QAAnswerPayload | None:
        """
        Answer a question, or reply to an answer. Only course staff and users with access to the course can do this.

        Returns NOT_ENROLLED without access, and FEATURE_DISABLED if the course does not allow questions and answers.
        For a reply, returns LIMIT_REACHED if the answer has 100 replies, and INVALID if `parentId` is a reply or
        belongs to another question.
        """
        context = info.context
        answer = once(info, input, answers.answer_question)
        key = await context.write(answer, input.question_id, input.content, input.parent_id)
        return await created_payload(context, input, QAAnswerPayload, answer=(answers_by_key, key))

    @mutation(IsSignedIn)
    async def update_qa_answer(self, info: Info, input: UpdateQAAnswerInput) -> QAAnswerPayload | None:
        """Change the text of an answer or reply. Only its author can do this."""
        context = info.context
        key = await context.write(answers.update_answer, input.answer_id, input.content)
        return await payload(context, QAAnswerPayload, answer=(answers_by_key, key))

    @mutation(IsSignedIn)
    async def delete_qa_answer(self, info: Info, input: QAAnswerIdInput) -> DeletePayload | None:
        """Delete an answer with its replies, or a reply. Only the author and course staff can do this."""
        course = await info.context.write(answers.delete_answer, input.answer_id)
        return DeletePayload(deleted_id=input.answer_id, course_key=course)

    @mutation(IsSignedIn)
    async def vote_qa_answer(self, info: Info, input: VoteQAAnswerInput) -> QAAnswerPayload | None:
        """
        Vote for an answer of another user, or withdraw the vote. Only course staff and users with access to the
        course can do this. Withdrawing needs no access. Voting again changes nothing. For the viewer's own answer the
        error is FORBIDDEN.

        Returns NOT_ENROLLED without access.
        """
        context = info.context
        key = await context.write(votes.vote_answer, input.answer_id, input.vote)
        return await payload(context, QAAnswerPayload, answer=(answers_by_key, key))
