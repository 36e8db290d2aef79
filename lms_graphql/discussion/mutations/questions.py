"""Questions about lectures."""

import strawberry

from lms_graphql.accounts.types import may
from lms_graphql.discussion.mutations.notes import PLACE, WORDS
from lms_graphql.discussion.reads.questions import questions_by_id
from lms_graphql.discussion.service import answering, asking, voting
from lms_graphql.discussion.types import QAQuestionPayload
from lms_graphql.graph.context import Context, Info
from lms_graphql.graph.describing import described, input_type
from lms_graphql.graph.inputs import changes
from lms_graphql.graph.mutations import DeletePayload, mutation
from lms_graphql.graph.permissions import IsSignedIn

TITLE = "What is asked, in a line of at most 200 characters."


@input_type()
class AskQuestionInput:
    """Something to ask."""

    lecture_id: strawberry.ID = described("About which lecture.")
    title: str = described(TITLE)
    content: str = described(WORDS)
    position_seconds: int | None = described(PLACE, default=None)


@input_type()
class UpdateQAQuestionInput:
    """What is to be different about a question."""

    question_id: strawberry.ID = described("Which one.")
    title: strawberry.Maybe[str | None] = described(TITLE, default=None)
    content: strawberry.Maybe[str | None] = described(WORDS, default=None)


@input_type()
class QAQuestionIdInput:
    """A question."""

    question_id: strawberry.ID = described("Which one.")


@input_type()
class FeatureQAQuestionInput:
    """Whether a question is put forward."""

    question_id: strawberry.ID = described("Which one.")
    is_featured: bool = described("Whether it is to be.")


@input_type()
class VoteQAQuestionInput:
    """A vote for a question, or one that is taken back."""

    question_id: strawberry.ID = described("For which one.")
    vote: bool = described("False takes it back.")


@input_type()
class AcceptAnswerInput:
    """`answerId` null takes the acceptance back."""

    question_id: strawberry.ID = described("Whose answer.")
    answer_id: strawberry.Maybe[strawberry.ID | None] = described(
        "Which one; null for none any more. It cannot be left out.", default=None
    )


async def shown(context: Context, key: int) -> QAQuestionPayload:
    return QAQuestionPayload(question=await context.fetch(questions_by_id, key))


@strawberry.type
class QuestionMutations:
    @mutation(may("question:ask"))
    async def ask_question(self, info: Info, input: AskQuestionInput) -> QAQuestionPayload | None:
        """Ask something about a lecture, with access to the course or as its staff."""
        context, title, content = info.context, input.title, input.content
        key = await context.write(asking.ask_question, input.lecture_id, title, content, input.position_seconds)
        return await shown(context, key)

    @mutation(may("question:ask"))
    async def update_qa_question(self, info: Info, input: UpdateQAQuestionInput) -> QAQuestionPayload | None:
        """Reword a question of one's own."""
        context = info.context
        return await shown(context, await context.write(asking.update_question, input.question_id, changes(input)))

    @mutation(IsSignedIn)
    async def delete_qa_question(self, info: Info, input: QAQuestionIdInput) -> DeletePayload | None:
        """Take a question out, with all that was answered: one's own, or any for course staff."""
        deleted = await info.context.write(asking.delete_question, input.question_id)
        return DeletePayload(deleted_id=strawberry.ID(deleted))

    @mutation(may("question:answer"))
    async def feature_qa_question(self, info: Info, input: FeatureQAQuestionInput) -> QAQuestionPayload | None:
        """Put a question forward, or back, as course staff."""
        context = info.context
        key = await context.write(asking.feature_question, input.question_id, input.is_featured)
        return await shown(context, key)

    @mutation(IsSignedIn)
    async def vote_qa_question(self, info: Info, input: VoteQAQuestionInput) -> QAQuestionPayload | None:
        """Vote for somebody else's question, once, or take that back. To vote again changes nothing."""
        context = info.context
        return await shown(context, await context.write(voting.vote_question, input.question_id, input.vote))

    @mutation(IsSignedIn)
    async def accept_answer(self, info: Info, input: AcceptAnswerInput) -> QAQuestionPayload | None:
        """Choose the answer that helped, or none: for whoever has asked, and course staff."""
        context = info.context
        key = await context.write(answering.accept_answer, input.question_id, changes(input))
        return await shown(context, key)
