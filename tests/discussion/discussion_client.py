"""Client for mutations and reads of discussions, and a course with users of every kind."""

from collections.abc import Callable
from typing import Any, ClassVar

from sqlalchemy import func, select

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import EnrollmentStatus, Lecture
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from lms_graphql.core.database import Database
from lms_graphql.discussion import counters
from lms_graphql.discussion.models import QAQuestion
from tests.factories import Factories, global_id
from tests.mutation_client import MutationClient

NOTE = "note { id content positionSeconds createdAt updatedAt lecture { id } }"
QUESTION = """question {
  id title content positionSeconds isAnswered isFeatured voteCount viewerHasVoted answerCount createdAt updatedAt
  author { username } lecture { id } acceptedAnswer { id isAccepted }
}"""
ANSWER = """answer {
  id content isInstructorAnswer isAccepted voteCount viewerHasVoted createdAt updatedAt
  author { username } question { id isAnswered answerCount } parent { id } replies { id content }
}"""
MUTATIONS = {
    "createNote": ("CreateNoteInput", NOTE),
    "updateNote": ("UpdateNoteInput", NOTE),
    "deleteNote": ("NoteIdInput", "deletedId"),
    "askQuestion": ("AskQuestionInput", QUESTION),
    "updateQaQuestion": ("UpdateQAQuestionInput", QUESTION),
    "deleteQaQuestion": ("QAQuestionIdInput", "deletedId"),
    "featureQaQuestion": ("FeatureQAQuestionInput", QUESTION),
    "voteQaQuestion": ("VoteQAQuestionInput", QUESTION),
    "acceptAnswer": ("AcceptAnswerInput", QUESTION),
    "answerQuestion": ("AnswerQuestionInput", ANSWER),
    "updateQaAnswer": ("UpdateQAAnswerInput", ANSWER),
    "deleteQaAnswer": ("QAAnswerIdInput", "deletedId"),
    "voteQaAnswer": ("VoteQAAnswerInput", ANSWER),
}
NODES = "query N($ids: [ID!]!) { nodes(ids: $ids) { id } }"
NOTES = "query M($id: ID!) { node(id: $id) { ... on Lecture { viewerNotes { id content positionSeconds } } } }"
QUESTIONS = """query L($id: ID!, $orderBy: QAOrder, $isAnswered: Boolean, $first: Int, $after: String, $last: Int) {
  node(id: $id) { ... on Lecture {
    qaQuestions(orderBy: $orderBy, isAnswered: $isAnswered, first: $first, after: $after, last: $last) {
      totalCount pageInfo { hasNextPage endCursor } nodes { id title }
    }
  } }
}"""
ANSWERS = """query A($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
  node(id: $id) { ... on QAQuestion {
    answerCount
    answers(first: $first, after: $after, last: $last, before: $before) {
      totalCount pageInfo { hasNextPage endCursor } nodes { id content isAccepted voteCount }
    }
  } }
}"""


class DiscussionClient(MutationClient):
    """Client of one actor for notes, questions and answers."""

    documents: ClassVar[dict[str, tuple[str, str]]] = MUTATIONS

    def execute(self, document: str, **variables: Any) -> Any:
        """Return the data of a query. Any error fails the test."""
        return self._client.execute(document, as_=self.actor, **variables)

    def can_read(self, *ids: str) -> list[bool]:
        """Return for each id whether the actor can read the object."""
        return [node is not None for node in self.execute(NODES, ids=ids)["nodes"]]

    def notes(self, lecture: Lecture) -> Any:
        """Return the actor's notes in a lecture."""
        return self.execute(NOTES, id=global_id("Lecture", lecture))["node"]["viewerNotes"]

    def questions(self, lecture: Lecture, **arguments: Any) -> Any:
        """Return a page of the questions of a lecture."""
        return self.execute(QUESTIONS, id=global_id("Lecture", lecture), **arguments)["node"]["qaQuestions"]

    def question_titles(self, lecture: Lecture, **arguments: Any) -> list[str]:
        return [question["title"] for question in self.questions(lecture, **arguments)["nodes"]]

    def question_with_answers(self, question_id: str, **arguments: Any) -> Any:
        """Return a question's answer count and a page of its answers."""
        return self.execute(ANSWERS, id=question_id, **arguments)["node"]

    def answer_contents(self, question_id: str, **arguments: Any) -> list[str]:
        page = self.question_with_answers(question_id, **arguments)["answers"]
        return [answer["content"] for answer in page["nodes"]]


class DiscussionCourse:
    """Course with a preview lecture and another lecture, with course staff, enrolled users and others."""

    def __init__(self, make: Factories, **course: Any) -> None:
        self._make = make
        self.course = make.course(**course)
        self.preview, self.lecture = self.course.lectures
        self.instructor = self.course.instructor
        self.other_instructor = make.user(Role.INSTRUCTOR)
        self.admin = make.user(Role.SUPER_ADMIN)
        self.other_user = make.user()
        self.asker, self.answerer, self.learner, self.cancelled = (make.user() for _ in range(4))
        for learner in (self.asker, self.answerer, self.learner):
            make.enrollment(learner, self.course)
        make.enrollment(self.cancelled, self.course, EnrollmentStatus.CANCELLED)

    def actor(self, name: str) -> Actor:
        """Return the actor for the attribute with this name, or the anonymous actor for "anonymous"."""
        if name == "anonymous":
            return ANONYMOUS
        user: User = getattr(self, name)
        return self._make.actor(user)

    def question(self, **values: Any) -> QAQuestion:
        """Add a question of the asker about the lecture that is not a preview."""
        return self._make.question(self.asker, self.lecture, **values)


AsUser = Callable[[str], DiscussionClient]
"""Function from the name of a user of `DiscussionCourse` to the user's client."""


def execute(database: Database, statement: Any) -> None:
    """Execute a statement in a transaction of its own."""
    database.write_sync(lambda session: session.execute(statement) and None)


def scalar(database: Database, statement: Any) -> Any:
    return database.read_sync(lambda session: session.scalar(statement))


def row_count(database: Database, model: Any, *where: Any) -> Any:
    return scalar(database, select(func.count()).select_from(model).where(*where))


def counter_drift(database: Database) -> list[str]:
    return database.read_sync(counters.find_counter_drift)
