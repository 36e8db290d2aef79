"""Answers and replies."""

import strawberry

from lms_graphql.discussion.mutations.notes import WORDS
from lms_graphql.discussion.reads.answers import answers_by_key
from lms_graphql.discussion.services import answers, votes
from lms_graphql.discussion.types import QAAnswerPayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import DeletePayload, mutation, payload
from lms_graphql.graph.schema.permissions import IsSignedIn


@input_type()
class AnswerQuestionInput:
    """Something to answer."""

    question_id: strawberry.ID = field("To which question.")
    content: str = field(WORDS)
    parent_id: strawberry.ID | None = field("For a reply: to which answer of that question.", default=None)


@input_type()
class UpdateQAAnswerInput:
    """An answer in other words."""

    answer_id: strawberry.ID = field("Which one.")
    content: str = field(WORDS)


@input_type()
class QAAnswerIdInput:
    """An answer or a reply."""

    answer_id: strawberry.ID = field("Which one.")


@input_type()
class VoteQAAnswerInput:
    """A vote for an answer, or one that is taken back."""

    answer_id: strawberry.ID = field("For which one.")
    vote: bool = field("False takes it back.")


@strawberry.type
class AnswerMutations:
    @mutation(IsSignedIn)
    async def answer_question(self, info: Info, input: AnswerQuestionInput) -> QAAnswerPayload | None:
        """
        Answer a question or, at most 100 times, reply to an answer, with access to the course or as its staff.
        """
        context, content = info.context, input.content
        key = await context.write(answers.answer_question, input.question_id, content, input.parent_id)
        return await payload(context, QAAnswerPayload, answer=(answers_by_key, key))

    @mutation(IsSignedIn)
    async def update_qa_answer(self, info: Info, input: UpdateQAAnswerInput) -> QAAnswerPayload | None:
        """Reword an answer or reply of one's own."""
        context = info.context
        key = await context.write(answers.update_answer, input.answer_id, input.content)
        return await payload(context, QAAnswerPayload, answer=(answers_by_key, key))

    @mutation(IsSignedIn)
    async def delete_qa_answer(self, info: Info, input: QAAnswerIdInput) -> DeletePayload | None:
        """Take an answer out, with its replies: one's own, or any for course staff."""
        deleted = await info.context.write(answers.delete_answer, input.answer_id)
        return DeletePayload(deleted_id=strawberry.ID(deleted))

    @mutation(IsSignedIn)
    async def vote_qa_answer(self, info: Info, input: VoteQAAnswerInput) -> QAAnswerPayload | None:
        """Vote for somebody else's answer, once, or take that back. To vote again changes nothing."""
        context = info.context
        key = await context.write(votes.vote_answer, input.answer_id, input.vote)
        return await payload(context, QAAnswerPayload, answer=(answers_by_key, key))
