"""Notes, questions and answers in the schema."""

from datetime import datetime
from typing import Annotated

import strawberry

from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.accounts.types import User
from lms_graphql.catalog.reads.curriculum import lectures_by_key
from lms_graphql.catalog.types.lecture import Lecture
from lms_graphql.core.pagination import PageArguments
from lms_graphql.discussion.reads import answers, notes, questions, votes
from lms_graphql.discussion.reads.questions import QAOrder
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.connections import After, Before, Connection, First, Last
from lms_graphql.graph.schema.fields import expose_enum, field, object_type, resolver_field
from lms_graphql.graph.schema.mutations import UserError, errors_field
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.type_extensions import extend_type

expose_enum(
    QAOrder,
    "How questions are sorted.",
    NEWEST="Who asked last comes first.",
    OLDEST="Who asked first comes first.",
    MOST_VOTED="By votes; of as many, the newest first.",
)

OrderBy = Annotated[QAOrder | None, strawberry.argument(description="How they are sorted.")]
Answered = Annotated[
    bool | None, strawberry.argument(description="Only those that are answered, or only those that are not.")
]


@object_type
class Note(Node):
    """What somebody has written down for themselves in a lecture. Nobody else reads it, super admins included."""

    content: str = field("Markdown, as it was written.")
    position_seconds: int | None = field("The second of the lecture that it is about.")
    created_at: datetime = field("When it was taken.")
    updated_at: datetime = field("When it was last changed.")
    lecture_key: strawberry.Private[int]

    @resolver_field()
    def lecture(self, info: Info) -> Lecture | None:
        """Null once the lecture was removed."""
        return info.context.load(lectures_by_key, self.lecture_key)


@object_type
class QAQuestion(Node):
    """What somebody asks about a lecture. Read by everyone who may have the lecture's content."""

    title: str = field("In a line.")
    content: str = field("Markdown, as it was written.")
    position_seconds: int | None = field("The second of the lecture that it is about.")
    is_answered: bool = field("True where an instructor answered or an answer was accepted.")
    is_featured: bool = field("Whether course staff put it forward.")
    vote_count: int = field("How many people want to know as well.")
    created_at: datetime = field("When it was asked.")
    updated_at: datetime = field("When its words were last changed.")
    lecture_key: strawberry.Private[int]
    author_key: strawberry.Private[int]
    accepted_answer_key: strawberry.Private[int | None]

    @resolver_field()
    def lecture(self, info: Info) -> Lecture | None:
        """Null once the lecture was removed."""
        return info.context.load(lectures_by_key, self.lecture_key)

    @resolver_field()
    def author(self, info: Info) -> User:
        """Who asks."""
        return info.context.load(users_by_key, self.author_key)

    @resolver_field()
    def viewer_has_voted(self, info: Info) -> bool:
        """Whether the viewer has voted for it."""
        return info.context.actor.is_signed_in and info.context.load(votes.votes_by_question, self.key, False)

    @resolver_field()
    def accepted_answer(self, info: Info) -> "QAAnswer | None":
        """The answer that whoever asks, or course staff, has accepted."""
        if self.accepted_answer_key is None:
            return None
        return info.context.load(answers.answers_by_key, self.accepted_answer_key)

    @resolver_field()
    def answer_count(self, info: Info) -> int:
        """How many answers there are, without replies."""
        return info.context.count(answers.answers_of_question(), self.key)

    @resolver_field(name="answers")
    def its_answers(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection["QAAnswer"]:
        """The accepted one first, then by votes, then by age; top-level answers only."""
        return info.context.page(answers.answers_of_question(), PageArguments(first, after, last, before), self.key)


@object_type
class QAAnswer(Node):
    """An answer to a question, or a reply to an answer."""

    content: str = field("Markdown, as it was written.")
    is_instructor_answer: bool = field("Whether its author taught the course when it was written.")
    is_accepted: bool = field("Whether it is the question's accepted answer.")
    vote_count: int = field("How many people found it good.")
    created_at: datetime = field("When it was written.")
    updated_at: datetime = field("When its words were last changed.")
    question_key: strawberry.Private[int]
    parent_key: strawberry.Private[int | None]
    author_key: strawberry.Private[int]

    @resolver_field()
    def question(self, info: Info) -> QAQuestion:
        """What it is an answer to."""
        return info.context.load(questions.questions_by_key, self.question_key)

    @resolver_field()
    def author(self, info: Info) -> User:
        """Who has written it."""
        return info.context.load(users_by_key, self.author_key)

    @resolver_field()
    def viewer_has_voted(self, info: Info) -> bool:
        """Whether the viewer has voted for it."""
        return info.context.actor.is_signed_in and info.context.load(votes.votes_by_answer, self.key, False)

    @resolver_field()
    def parent(self, info: Info) -> "QAAnswer | None":
        """The answer that a reply is to; null for an answer."""
        return None if self.parent_key is None else info.context.load(answers.answers_by_key, self.parent_key)

    @resolver_field()
    def replies(self, info: Info) -> list["QAAnswer"]:
        """Oldest first; at most 100."""
        return info.context.load_list(answers.replies_by_answer, self.key)


@extend_type(Lecture)
def viewer_notes(lecture: strawberry.Parent[Lecture], info: Info) -> list[Note]:
    """
    The viewer's own notes, by their place in the lecture; those about no place come last, those of one place by age.
    """
    return info.context.load_list(notes.notes_by_lecture, lecture.key) if info.context.actor.is_signed_in else []


@extend_type(Lecture)
def qa_questions(
    lecture: strawberry.Parent[Lecture],
    info: Info,
    order_by: OrderBy = QAOrder.NEWEST,
    is_answered: Answered = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[QAQuestion]:
    """What is asked about it, for those who may have its content; empty for everyone else."""
    listing = questions.questions_of_lecture(info.context.actor.access_level, order_by or QAOrder.NEWEST, is_answered)
    return info.context.page(listing, PageArguments(first, after, last, before), lecture.key)


@object_type
class NotePayload:
    """What came of it."""

    note: Note | None = field("The note as it is now.", default=None)
    errors: list[UserError] = errors_field()


@object_type
class QAQuestionPayload:
    """What came of it."""

    question: QAQuestion | None = field("The question as it is now.", default=None)
    errors: list[UserError] = errors_field()


@object_type
class QAAnswerPayload:
    """What came of it."""

    answer: QAAnswer | None = field("The answer as it is now.", default=None)
    errors: list[UserError] = errors_field()
