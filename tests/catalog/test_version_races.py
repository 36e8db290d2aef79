"""Editors of one course, section and lecture at the same time, on two processes: no edit is lost."""

from typing import Any, NamedTuple

import pytest
from sqlalchemy import select

from lms_graphql.catalog.models import Course, CourseStatus, Lecture, Section
from lms_graphql.core.orm import TimestampedModel
from tests.catalog.curriculum_client import CurriculumClient, counter_drift
from tests.concurrency import RaceRequest, race_clients, race_rounds
from tests.factories import CourseTree, Factories, global_id
from tests.processes import Cluster

ROUNDS = race_rounds(10)


class Edit(NamedTuple):
    """An edit of one field. Two editors of an object edit different ones."""

    model: type[TimestampedModel]
    field: str
    text: str

    def request(self, cluster: Cluster, ids: dict[type[TimestampedModel], str], token: str) -> RaceRequest:
        """Return the request, based on the object's present version."""
        name = self.model.__name__
        version = stored(cluster, self.model).version
        document = CurriculumClient.document(f"update{name}")
        input = {f"{name.lower()}Id": ids[self.model], "expectedVersion": version, self.field: self.text}
        return RaceRequest(document, {"input": input}, token)


def stored(cluster: Cluster, model: Any) -> Any:
    return cluster.database.read_sync(lambda session: session.scalars(select(model)).one())


@pytest.mark.slow
def test_two_editors_of_course_section_and_lecture_lose_nothing(two_processes: Cluster) -> None:
    tree: CourseTree = Factories(two_processes.database).course(sections=1, lectures=1, status=CourseStatus.DRAFT)
    token = two_processes.access_token(tree.instructor)
    ids: dict[type[TimestampedModel], str] = {
        Course: tree.global_id,
        Section: global_id("Section", tree.sections[0]),
        Lecture: global_id("Lecture", tree.lectures[0]),
    }
    with race_clients(two_processes.urls, 6) as clients:
        for number in range(ROUNDS):
            fields = {"title": f"Title {number}", "description": f"Description {number}"}
            edits = [Edit(model, field, text) for model in ids for field, text in fields.items()]
            pending, races = edits, 0
            while pending:
                responses = clients.race(*(edit.request(two_processes, ids, token) for edit in pending))
                assert {response.code for response in responses} <= {None, "STALE_VERSION"}
                failed = [edit for edit, reply in zip(pending, responses, strict=True) if reply.code is not None]
                assert len(failed) < len(pending)
                if races == 0:  # one of the two editors of an object comes second
                    assert [edit.model for edit in failed if edit.model is not Course] == [Section, Lecture]
                pending, races = failed, races + 1
            rows = {model: stored(two_processes, model) for model in ids}
            assert all(getattr(rows[edit.model], edit.field) == edit.text for edit in edits)
            versions = [rows[model].version for model in (Course, Section, Lecture)]
            assert versions == [1 + 6 * (number + 1), 1 + 2 * (number + 1), 1 + 2 * (number + 1)]
    assert counter_drift(two_processes.database) == []
