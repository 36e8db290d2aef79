"""A published course with its instructor and an enrolled learner."""

from typing import Any, NamedTuple

import pytest

from lms_graphql.accounts.models import User
from tests.assessment.quiz_client import QuizClient
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client, Service

PROGRESS = """query Q($id: ID!) { node(id: $id) { ... on Course { viewerEnrollment {
  status progress { percent passedQuizzes totalQuizzes completedLectures } certificate { id status } } } } }"""


class QuizCourse(NamedTuple):
    tree: CourseTree
    instructor: QuizClient
    learner: QuizClient
    learner_user: User
    client: Client
    make: Factories
    service: Service

    @property
    def id(self) -> str:
        return global_id("Course", self.tree.row)

    def other_learner(self) -> QuizClient:
        """Return another learner, who is enrolled."""
        user = self.make.user()
        self.make.enrollment(user, self.tree)
        return QuizClient(self.client, self.make.actor(user))

    def enrollment(self) -> Any:
        """Return the learner's enrollment with its progress and certificate."""
        return self.client.execute(PROGRESS, as_=self.learner.actor, id=self.id)["node"]["viewerEnrollment"]


@pytest.fixture
def course(client: Client, make: Factories, service: Service) -> QuizCourse:
    tree, user = make.course(lectures=1), make.user()
    make.enrollment(user, tree)
    instructor, learner = (QuizClient(client, make.actor(person)) for person in (tree.instructor, user))
    return QuizCourse(tree, instructor, learner, user, client, make, service)
