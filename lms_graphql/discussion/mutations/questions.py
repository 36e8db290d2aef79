"""Questions about lectures."""

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.discussion.mutations.notes import PLACE, WORDS
from lms_graphql.discussion.reads.questions import questions_by_key
from lms_graphql.discussion.services import answers, questions, votes
from lms_graphql.discussion.types import QAQuestionPayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import DeletePayload, mutation, payload, provided_fields
from lms_graphql.graph.schema.permissions import IsSignedIn

TITLE = "What is asked, in a line of at most 200 characters."


@input_type()
class AskQuestionInput:
    """Something to ask."""

    lecture_id: strawberry.ID = field("About which lecture.")
    title: str = field(TITLE)
    content: str = field(WORDS)
    position_seconds: int | None = field(PLACE, default=None)


@input_type()
class UpdateQAQuestionInput:
    """What is to be different about a question."""

    question_id: strawberry.ID = field("Which one.")
    title: strawberry.Maybe[str | None] = field(TITLE, default=None)
    content: strawberry.Maybe[str | None] = field(WORDS, default=None)


@input_type()
class QAQuestionIdInput:
    """A question."""

    question_id: strawberry.ID = field("Which one.")


@input_type()
class FeatureQAQuestionInput:
    """Whether a question is put forward."""

    question_id: strawberry.ID = field("Which one.")
    is_featured: bool = field("Whether it is to be.")


@input_type()
class VoteQAQuestionInput:
    """A vote for a question, or one that is taken back."""

    question_id: strawberry.ID = field("For which one.")
    vote: bool = field("False takes it back.")


@input_type()
class AcceptAnswerInput:
    """`answerId` null takes the acceptance back."""

    question_id: strawberry.ID = field("Whose answer.")
    answer_id: strawberry.Maybe[strawberry.ID | None] = field(
        "Which one; null for none any more. It cannot be left out.", default=None
    )


@strawberry.type
class QuestionMutations:
    @mutation(has_permission("question:ask"))
    async def ask_question(self, info: Info, input: AskQuestionInput) -> QAQuestionPayload | None:
        """Ask something about a lecture, with access to the course or as its staff."""
        context, title, content = info.context, input.title, input.content
        key = await context.write(questions.ask_question, input.lecture_id, title, content, input.position_seconds)
        return await payload(context, QAQuestionPayload, question=(questions_by_key, key))

    @mutation(has_permission("question:ask"))
    async def update_qa_question(self, info: Info, input: UpdateQAQuestionInput) -> QAQuestionPayload | None:
        """Reword a question of one's own."""
        context = info.context
        key = await context.write(questions.update_question, input.question_id, provided_fields(input))
        return await payload(context, QAQuestionPayload, question=(questions_by_key, key))

    @mutation(IsSignedIn)
    async def delete_qa_question(self, info: Info, input: QAQuestionIdInput) -> DeletePayload | None:
        """Take a question out, with all that was answered: one's own, or any for course staff."""
        deleted = await info.context.write(questions.delete_question, input.question_id)
        return DeletePayload(deleted_id=strawberry.ID(deleted))

    @mutation(has_permission("question:answer"))
    async def feature_qa_question(self, info: Info, input: FeatureQAQuestionInput) -> QAQuestionPayload | None:
        """Put a question forward, or back, as course staff."""
        context = info.context
        key = await context.write(questions.feature_question, input.question_id, input.is_featured)
        return await payload(context, QAQuestionPayload, question=(questions_by_key, key))

    @mutation(IsSignedIn)
    async def vote_qa_question(self, info: Info, input: VoteQAQuestionInput) -> QAQuestionPayload | None:
        """Vote for somebody else's question, once, or take that back. To vote again changes nothing."""
        context = info.context
        key = await context.write(votes.vote_question, input.question_id, input.vote)
        return await payload(context, QAQuestionPayload, question=(questions_by_key, key))

    @mutation(IsSignedIn)
    async def accept_answer(self, info: Info, input: AcceptAnswerInput) -> QAQuestionPayload | None:
        """Choose the answer that helped, or none: for whoever has asked, and course staff."""
        context = info.context
        key = await context.write(answers.accept_answer, input.question_id, provided_fields(input))
        return await payload(context, QAQuestionPayload, question=(questions_by_key, key))
