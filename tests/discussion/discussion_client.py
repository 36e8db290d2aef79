"""A course where people talk, and what they send."""

from typing import Any

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import EnrollmentStatus, Lecture
from lms_graphql.core.actor import Actor, Role
from lms_graphql.discussion.models import QAQuestion
from tests.factories import Factories, global_id
from tests.live_service import Client

QUESTION = """question {
  id title content positionSeconds isAnswered isFeatured voteCount viewerHasVoted answerCount createdAt updatedAt
  author { username } lecture { id } acceptedAnswer { id isAccepted }
} errors { code path }"""
ANSWER = """answer {
  id content isInstructorAnswer isAccepted voteCount viewerHasVoted createdAt updatedAt
  author { username } question { id isAnswered answerCount } parent { id } replies { id content }
} errors { code path }"""
DELETED = "deletedId errors { code path }"
MUTATIONS = {
    "askQuestion": ("AskQuestionInput", QUESTION),
    "updateQaQuestion": ("UpdateQAQuestionInput", QUESTION),
    "deleteQaQuestion": ("QAQuestionIdInput", DELETED),
    "featureQaQuestion": ("FeatureQAQuestionInput", QUESTION),
    "voteQaQuestion": ("VoteQAQuestionInput", QUESTION),
    "acceptAnswer": ("AcceptAnswerInput", QUESTION),
    "answerQuestion": ("AnswerQuestionInput", ANSWER),
    "updateQaAnswer": ("UpdateQAAnswerInput", ANSWER),
    "deleteQaAnswer": ("QAAnswerIdInput", DELETED),
    "voteQaAnswer": ("VoteQAAnswerInput", ANSWER),
}
DOCUMENTS = {
    name: f"mutation Q($input: {kind}!) {{ {name}(input: $input) {{ {payload} }} }}"
    for name, (kind, payload) in MUTATIONS.items()
}
LISTED = """query L($id: ID!, $orderBy: QAOrder, $isAnswered: Boolean, $first: Int, $after: String, $last: Int) {
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


class Classroom:
    """A course with a preview and a closed lecture, and one of each who may come by."""

    def __init__(self, make: Factories, **course: Any) -> None:
        self.make = make
        self.course = make.course(**course)
        self.preview, self.lecture = self.course.lectures
        self.teacher = self.course.instructor
        self.rival = make.user(Role.INSTRUCTOR)
        self.admin = make.user(Role.SUPER_ADMIN)
        self.stranger = make.user()
        self.asker, self.peer, self.other, self.cancelled = (make.user() for _ in range(4))
        for learner in (self.asker, self.peer, self.other):
            make.enrollment(learner, self.course)
        make.enrollment(self.cancelled, self.course, EnrollmentStatus.CANCELLED)

    def actor(self, name: str) -> Actor:
        user: User = getattr(self, name)
        return self.make.actor(user)

    def question(self, **values: Any) -> QAQuestion:
        return self.make.question(self.asker, self.lecture, **values)


def send(client: Client, as_: Actor, mutation: str, **input: Any) -> Any:
    """The payload."""
    return client.execute(DOCUMENTS[mutation], as_=as_, input=input)[mutation]


def refused(client: Client, as_: Actor, mutation: str, **input: Any) -> list[str]:
    """The codes of top-level errors."""
    return client.error_codes(DOCUMENTS[mutation], as_=as_, input=input)


def listed(client: Client, as_: Actor | None, lecture: Lecture, **asked: Any) -> Any:
    node = client.execute(LISTED, as_=as_, id=global_id("Lecture", lecture), **asked)["node"]
    return node["qaQuestions"]


def titles(client: Client, as_: Actor | None, lecture: Lecture, **asked: Any) -> list[str]:
    return [question["title"] for question in listed(client, as_, lecture, **asked)["nodes"]]
