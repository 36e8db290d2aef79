"""GraphQL types of notes, questions and answers."""

from datetime import datetime
from typing import Annotated

import strawberry

from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.accounts.types import IsSelf, IsSelfOrSuperAdmin, User
from lms_graphql.catalog.reads.courses import courses_by_key
from lms_graphql.catalog.reads.curriculum import lectures_by_key
from lms_graphql.catalog.types.course import Course
from lms_graphql.catalog.types.lecture import Lecture
from lms_graphql.core import global_ids
from lms_graphql.core.pagination import PageArguments
from lms_graphql.core.search_terms import parse_search
from lms_graphql.discussion.reads import answers, notes, questions, votes
from lms_graphql.discussion.reads.questions import QAOrder
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.connections import After, Before, Connection, First, Last
from lms_graphql.graph.schema.fields import expose_enum, field, object_type, resolver_field
from lms_graphql.graph.schema.mutations import UserError, errors_field
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.permissions import require
from lms_graphql.graph.schema.type_extensions import extend_type

expose_enum(
    QAOrder,
    "Sort order of questions.",
    NEWEST="Newest first.",
    OLDEST="Oldest first.",
    MOST_VOTED="Most votes first; questions with equal votes newest first.",
)

OrderBy = Annotated[QAOrder | None, strawberry.argument(description="Sort order (default NEWEST).")]
Answered = Annotated[
    bool | None,
    strawberry.argument(
        description="True returns answered questions only, false unanswered questions only, null all."
    ),
]
Search = Annotated[
    str | None,
    strawberry.argument(
        description="Search text, at most 200 characters. Questions match if title or text contain all words. "
        "Words match as in `Query.courses`. A blank text matches every question."
    ),
]
CourseId = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="Only notes in this course; null for all. An unknown id finds nothing."),
]


@object_type
class Note(Node):
    """A private note of a user in a lecture. Only its author can read it; super admins cannot."""

    content: str = field("Text of the note: Markdown, exactly as written.")
    position_seconds: int | None = field(
        "Position in the lecture that the note is about, in seconds; null if it has none."
    )
    created_at: datetime = field("When the note was created.")
    updated_at: datetime = field("When the note was last changed.")
    lecture_key: strawberry.Private[int]
    course_key: strawberry.Private[int]

    @resolver_field()
    def lecture(self, info: Info) -> Lecture | None:
        """Lecture that the note belongs to; null if it was removed."""
        return info.context.load(lectures_by_key, self.lecture_key)

    @resolver_field()
    def course(self, info: Info) -> Course:
        """Course of the lecture, even if the lecture was removed."""
        return info.context.load(courses_by_key, self.course_key)


@object_type
class QAQuestion(Node):
    """A question about a lecture. Its author and viewers who may read the lecture's content may read it."""

    title: str = field("Title, one line.")
    content: str = field("Text of the question: Markdown, exactly as written.")
    position_seconds: int | None = field(
        "Position in the lecture that the question is about, in seconds; null if it has none."
    )
    is_answered: bool = field("Whether the course's instructor answered the question or an answer was accepted.")
    is_featured: bool = field("Whether course staff featured the question.")
    vote_count: int = field("Number of votes for the question.")
    created_at: datetime = field("When the question was asked.")
    updated_at: datetime = field("When the title or text was last changed.")
    lecture_key: strawberry.Private[int]
    course_key: strawberry.Private[int]
    author_key: strawberry.Private[int]
    accepted_answer_key: strawberry.Private[int | None]

    @resolver_field()
    def lecture(self, info: Info) -> Lecture | None:
        """Lecture that the question is about; null if it was removed."""
        return info.context.load(lectures_by_key, self.lecture_key)

    @resolver_field()
    def course(self, info: Info) -> Course:
        """Course of the lecture, even if the lecture was removed."""
        return info.context.load(courses_by_key, self.course_key)

    @resolver_field()
    def author(self, info: Info) -> User:
        """User who asked the question."""
        return info.context.load(users_by_key, self.author_key)

    @resolver_field()
    def viewer_has_voted(self, info: Info) -> bool:
        """True if the viewer has voted for the question."""
        return info.context.actor.is_signed_in and info.context.load(votes.votes_by_question, self.key, False)

    @resolver_field()
    def accepted_answer(self, info: Info) -> "QAAnswer | None":
        """Answer that the question's author or course staff accepted; null if none was accepted."""
        if self.accepted_answer_key is None:
            return None
        return info.context.load(answers.answers_by_key, self.accepted_answer_key)

    @resolver_field()
    def answer_count(self, info: Info) -> int:
        """Number of answers, without replies."""
        return info.context.count(answers.answers_of_question(), self.key)

    @resolver_field(name="answers")
    def question_answers(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection["QAAnswer"]:
        """Answers, without replies: the accepted answer first, then those with most votes, then the oldest."""
        return info.context.page(answers.answers_of_question(), PageArguments(first, after, last, before), self.key)


@object_type
class QAAnswer(Node):
    """An answer to a question, or a reply to an answer."""

    content: str = field("Text of the answer: Markdown, exactly as written.")
    is_instructor_answer: bool = field("Whether the author was the course's instructor when writing the answer.")
    is_accepted: bool = field("Whether this is the question's accepted answer.")
    vote_count: int = field("Number of votes for the answer.")
    created_at: datetime = field("When the answer was written.")
    updated_at: datetime = field("When the text was last changed.")
    question_key: strawberry.Private[int]
    parent_key: strawberry.Private[int | None]
    author_key: strawberry.Private[int]

    @resolver_field()
    def question(self, info: Info) -> QAQuestion:
        """Question that the answer belongs to."""
        return info.context.load(questions.questions_by_key, self.question_key)

    @resolver_field()
    def author(self, info: Info) -> User:
        """User who wrote the answer."""
        return info.context.load(users_by_key, self.author_key)

    @resolver_field()
    def viewer_has_voted(self, info: Info) -> bool:
        """True if the viewer has voted for the answer."""
        return info.context.actor.is_signed_in and info.context.load(votes.votes_by_answer, self.key, False)

    @resolver_field()
    def parent(self, info: Info) -> "QAAnswer | None":
        """Answer that this is a reply to; null if this is not a reply."""
        return None if self.parent_key is None else info.context.load(answers.answers_by_key, self.parent_key)

    @resolver_field()
    def replies(self, info: Info) -> list["QAAnswer"]:
        """Replies to the answer, oldest first (at most 100)."""
        return info.context.load_list(answers.replies_by_answer, self.key)


@extend_type(Lecture)
def viewer_notes(lecture: strawberry.Parent[Lecture], info: Info) -> list[Note]:
    """
    The viewer's own notes in the lecture, ordered by position; notes without a position come last. Notes with the
    same position are ordered oldest first.
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
    """Questions about the lecture. Empty if the viewer may not read the lecture's content."""
    query = questions.questions_of_lecture(info.context.actor.access_level, order_by or QAOrder.NEWEST, is_answered)
    return info.context.page(query, PageArguments(first, after, last, before), lecture.key)


@extend_type(Course, name="qaQuestions")
def questions_of_course(
    course: strawberry.Parent[Course],
    info: Info,
    order_by: OrderBy = QAOrder.NEWEST,
    is_answered: Answered = None,
    search: Search = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[QAQuestion]:
    """
    Questions about all lectures of the course whose content the viewer may read. Viewers with access to the course
    also get those about removed lectures.
    """
    order, terms = order_by or QAOrder.NEWEST, parse_search(search)
    query = questions.questions_of_course(info.context.actor.access_level, order, is_answered, terms)
    return info.context.page(query, PageArguments(first, after, last, before), course.key)


@extend_type(User, name="qaQuestions", extensions=[require(IsSelfOrSuperAdmin)])
def questions_of_user(
    user: strawberry.Parent[User],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[QAQuestion] | None:
    """
    The user and super admins only. Questions that the user asked, newest first. They remain after access to the
    course has ended.
    """
    query = questions.questions_of_user(info.context.actor.access_level)
    return info.context.page(query, PageArguments(first, after, last, before), user.key)


@extend_type(User, name="notes", extensions=[require(IsSelf)])
def notes_of_user(
    user: strawberry.Parent[User],
    info: Info,
    course_id: CourseId = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Note] | None:
    """
    The user only, not even super admins. Notes of the user in all courses or in one, newest first. They remain after
    access to the course has ended.
    """
    course_key = global_ids.decode_filter_key("Course", course_id)
    query = notes.notes_of_user(info.context.actor.access_level, course_key)
    return info.context.page(query, PageArguments(first, after, last, before), user.key)


@object_type
class NotePayload:
    """Result of a mutation of a note: the note, or errors."""

    note: Note | None = field("The note after the change; null if there are errors.", default=None)
    errors: list[UserError] = errors_field()


@object_type
class QAQuestionPayload:
    """Result of a mutation of a question: the question, or errors."""

    question: QAQuestion | None = field("The question after the change; null if there are errors.", default=None)
    errors: list[UserError] = errors_field()


@object_type
class QAAnswerPayload:
    """Result of a mutation of an answer or reply: the answer, or errors."""

    answer: QAAnswer | None = field("The answer after the change; null if there are errors.", default=None)
    errors: list[UserError] = errors_field()
