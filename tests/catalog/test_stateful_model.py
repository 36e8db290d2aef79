"""Stateful test of the curriculum: after any sequence of changes, the service shows what a simple model predicts."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import update

from lms_graphql.catalog.models import Course, CourseStatus
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from tests.catalog.curriculum_client import COURSE, CurriculumClient, counter_drift
from tests.factories import Factories, global_id
from tests.live_service import Client, Service

COURSE_AND_NODES = f"""
query V($id: ID!, $ids: [ID!]!) {{
  node(id: $id) {{
    ... on Course {{ {COURSE.strip()[8:-1]} contents: sections {{ lectures {{ isPreview content {{ body }} }} }} }}
  }}
  nodes(ids: $ids) {{ id }}
}}"""
POSITIONS = st.none() | st.integers(-1, 6) | st.just(2**31 - 1)
BODY = "A secret body"
SECONDS = st.sampled_from([0, 1, 60, 360_000])
RANDOM = st.randoms(use_true_random=False)


@dataclass
class ModelLecture:
    id: str
    title: str
    seconds: int
    is_preview: bool
    version: int = 1


@dataclass
class ModelSection:
    id: str
    title: str
    lectures: list[ModelLecture] = field(default_factory=list)
    version: int = 1


def insert(rows: list[Any], row: Any, position: int | None) -> None:
    rows.insert(len(rows) if position is None else position, row)


class CurriculumMachine(RuleBasedStateMachine):
    """Changes of a course, each applied to the service and to the model."""

    service: Service
    client: Client

    @initialize()
    def create_course(self) -> None:
        self.service.delete_all_rows()
        make = Factories(self.service.database)
        course = make.course(sections=2, lectures=3, status=CourseStatus.DRAFT)
        self.other = make.course(instructor=course.instructor, status=CourseStatus.DRAFT)
        self.course, self.version, self.status = course, 1, CourseStatus.DRAFT
        self.author = CurriculumClient(self.client, make.actor(course.instructor))
        self.other_instructor = CurriculumClient(self.client, make.actor(make.user(Role.INSTRUCTOR)))
        rows = [
            ModelLecture(global_id("Lecture", row), row.title, row.duration, row.is_preview)
            for row in course.lectures
        ]
        self.sections = [
            ModelSection(global_id("Section", row), row.title, rows[3 * n : 3 * n + 3])
            for n, row in enumerate(course.sections)
        ]
        self.deleted_ids: list[str] = []
        self.title_count = 0

    def new_title(self) -> str:
        self.title_count += 1
        return f"Title {self.title_count}"

    def lectures(self) -> list[tuple[ModelSection, ModelLecture]]:
        return [(section, lecture) for section in self.sections for lecture in section.lectures]

    def ok(self, mutation: str, **input: Any) -> Any:
        result = self.author.ok(mutation, **input)
        self.version += 1
        return result

    def succeeds(self, mutation: str, adds_problem: bool, **input: Any) -> bool:
        """Return whether the mutation succeeds. It does unless it adds a publish problem to a published course."""
        if not adds_problem or self.status is not CourseStatus.PUBLISHED:
            self.ok(mutation, **input)
            return True
        assert {code for code, _ in self.author.user_errors(mutation, **input)} == {"NOT_READY"}
        return False

    @rule(position=POSITIONS)
    def create_section(self, position: int | None) -> None:
        input = {"courseId": self.course.global_id, "title": self.new_title(), "position": position}
        if position is not None and position < 0:
            assert self.author.user_errors("createSection", **input) == [("OUT_OF_RANGE", "position")]
        else:
            created = self.ok("createSection", **input)
            insert(self.sections, ModelSection(created["id"], created["title"]), position)

    @rule(random=RANDOM, position=POSITIONS, seconds=SECONDS, is_preview=st.booleans())
    def create_lecture(self, random: Any, position: int | None, seconds: int, is_preview: bool) -> None:
        if not self.sections:
            return
        section = random.choice(self.sections)
        input = {
            "sectionId": section.id,
            "title": self.new_title(),
            "type": "TEXT",
            "body": BODY,
            "position": position,
        }
        input |= {"durationSeconds": seconds, "isPreview": is_preview}
        if position is not None and position < 0:
            assert self.author.user_errors("createLecture", **input) == [("OUT_OF_RANGE", "position")]
        else:
            created = self.ok("createLecture", **input)
            lecture = ModelLecture(created["id"], created["title"], seconds, is_preview)
            insert(section.lectures, lecture, position)
            section.version += 1

    @rule(random=RANDOM)
    def update_section(self, random: Any) -> None:
        if self.sections:
            section = random.choice(self.sections)
            section.title = self.new_title()
            section.version += 1
            self.ok("updateSection", sectionId=section.id, title=section.title)

    @rule(random=RANDOM, seconds=SECONDS, is_preview=st.booleans())
    def update_lecture(self, random: Any, seconds: int, is_preview: bool) -> None:
        if self.lectures():
            _, lecture = random.choice(self.lectures())
            lecture.seconds, lecture.is_preview = seconds, is_preview
            lecture.version += 1
            self.ok("updateLecture", lectureId=lecture.id, durationSeconds=seconds, isPreview=is_preview)

    @rule(random=RANDOM)
    def delete_section(self, random: Any) -> None:
        if self.sections:
            section = random.choice(self.sections)
            has_all_lectures = bool(section.lectures) and len(self.lectures()) == len(section.lectures)
            adds_problem = len(self.sections) == 1 or has_all_lectures
            if self.succeeds("deleteSection", adds_problem, sectionId=section.id):
                self.sections.remove(section)
                self.deleted_ids += [section.id, *(lecture.id for lecture in section.lectures)]

    @rule(random=RANDOM)
    def delete_lecture(self, random: Any) -> None:
        if self.lectures():
            section, lecture = random.choice(self.lectures())
            if self.succeeds("deleteLecture", len(section.lectures) == 1, lectureId=lecture.id):
                section.lectures.remove(lecture)
                section.version += 1
                self.deleted_ids.append(lecture.id)

    @rule(random=RANDOM, position=st.integers(-1, 6))
    def move_lecture(self, random: Any, position: int) -> None:
        if not self.lectures():
            return
        (section, lecture), target = random.choice(self.lectures()), random.choice(self.sections)
        input = {"lectureId": lecture.id, "sectionId": target.id, "position": position}
        if position < 0:
            assert self.author.user_errors("moveLecture", **input) == [("OUT_OF_RANGE", "position")]
        elif self.succeeds("moveLecture", target is not section and len(section.lectures) == 1, **input):
            section.lectures.remove(lecture)
            insert(target.lectures, lecture, position)
            section.version += 1
            target.version += target is not section
            lecture.version += 1

    @rule(random=RANDOM)
    def move_lecture_to_another_course(self, random: Any) -> None:
        if self.lectures():
            _, lecture = random.choice(self.lectures())
            input = {
                "lectureId": lecture.id,
                "sectionId": global_id("Section", self.other.sections[0]),
                "position": 0,
            }
            assert self.author.user_errors("moveLecture", **input) == [("INVALID", "sectionId")]

    @rule(random=RANDOM, of_sections=st.booleans(), version=st.sampled_from(["current", "none", "old"]))
    def reorder(self, random: Any, of_sections: bool, version: str) -> None:
        if of_sections or not self.sections:
            rows: list[Any] = self.sections
            mutation, name = "reorderSections", "sectionIds"
            input: dict[str, Any] = {"courseId": self.course.global_id}
            parent: Any = self
        else:
            parent = section = random.choice(self.sections)
            rows = section.lectures
            mutation, name = "reorderLectures", "lectureIds"
            input = {"sectionId": section.id}
        if version != "none":
            input["expectedVersion"] = parent.version - (version == "old")
        new_order = random.sample(rows, len(rows))
        input[name] = [row.id for row in new_order]
        if version == "old":
            assert self.author.user_errors(mutation, **input) == [("STALE_VERSION", "expectedVersion")]
        else:
            self.ok(mutation, **input)
            rows[:] = new_order
            if parent is not self:  # `ok` has counted the course's change
                parent.version += 1

    @rule(random=RANDOM, mistake=st.sampled_from(["missing", "twice", "deleted", "foreign"]))
    def reorder_with_invalid_ids(self, random: Any, mistake: str) -> None:
        if not self.sections:
            return
        ids = [section.id for section in self.sections]
        foreign = (
            random.choice(self.deleted_ids or [self.other.global_id])
            if mistake == "deleted"
            else global_id("Section", self.other.sections[0])
        )
        invalid = {"missing": ids[1:], "twice": [*ids, ids[0]]}.get(mistake, [*ids[1:], foreign])
        errors = self.author.user_errors("reorderSections", courseId=self.course.global_id, sectionIds=invalid)
        assert errors == [("INVALID", "sectionIds")]

    @rule(random=RANDOM)
    def change_deleted_item(self, random: Any) -> None:
        if self.deleted_ids:
            id = random.choice(self.deleted_ids)
            id_fields = {"updateSection": "sectionId", "deleteSection": "sectionId", "deleteLecture": "lectureId"}
            for mutation, name in id_fields.items():
                title = {"title": "Back"} if mutation == "updateSection" else {}
                assert self.author.user_errors(mutation, **{name: id}, **title) == [("NOT_FOUND", name)]

    @rule(random=RANDOM)
    def change_as_another_instructor(self, random: Any) -> None:
        if self.lectures():
            section, lecture = random.choice(self.lectures())
            inputs = {
                "createSection": {"courseId": self.course.global_id, "title": "Theirs"},
                "deleteSection": {"sectionId": section.id},
                "updateLecture": {"lectureId": lecture.id, "title": "Theirs"},
                "moveLecture": {"lectureId": lecture.id, "sectionId": section.id, "position": 0},
            }
            mutation = random.choice(sorted(inputs))
            body = self.other_instructor.graphql(mutation, **inputs[mutation])
            if self.status is CourseStatus.PUBLISHED:
                assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
            else:
                assert [error["code"] for error in body["data"][mutation]["errors"]] == ["NOT_FOUND"]

    @rule(status=st.sampled_from(list(CourseStatus)))
    def set_status(self, status: CourseStatus) -> None:
        """Set the status in the database, because publish problems are not part of this test."""
        statement = update(Course).where(Course.id == self.course.row.id)
        values = {"status": status, "published_at": datetime(2026, 1, 1, tzinfo=UTC)}
        self.service.database.write_sync(lambda session: session.execute(statement.values(values)) and None)
        self.status = status

    def visible_state(self, actor: Actor) -> Any:
        return self.client.execute(COURSE_AND_NODES, as_=actor, id=self.course.global_id, ids=self.deleted_ids[-100:])

    def expected(self, is_staff: bool) -> Any:
        sections = [
            {
                "id": section.id,
                "version": section.version,
                "title": section.title,
                "position": position,
                "lectureCount": len(section.lectures),
                "durationSeconds": sum(lecture.seconds for lecture in section.lectures),
                "lectures": [
                    {"id": lecture.id, "version": lecture.version, "title": lecture.title, "position": number}
                    for number, lecture in enumerate(section.lectures)
                ],
            }
            for position, section in enumerate(self.sections)
            if is_staff or section.lectures
        ]
        return {
            "id": self.course.global_id,
            "version": self.version,
            "sectionCount": len(sections),
            "lectureCount": sum(section["lectureCount"] for section in sections),
            "durationSeconds": sum(section["durationSeconds"] for section in sections),
            "sections": sections,
            "contents": [
                {
                    "lectures": [
                        {
                            "isPreview": lecture.is_preview,
                            "content": {"body": BODY} if is_staff or lecture.is_preview else None,
                        }
                        for lecture in section.lectures
                    ]
                }
                for section in self.sections
                if is_staff or section.lectures
            ],
        }

    @invariant()
    def instructor_sees_the_model(self) -> None:
        state = self.visible_state(self.author.actor)
        assert state["node"] == self.expected(is_staff=True)
        assert set(map(str, state["nodes"])) <= {"None"}

    @invariant()
    def others_see_the_model_if_published(self) -> None:
        for actor in (ANONYMOUS, self.other_instructor.actor):
            state = self.visible_state(actor)
            is_published = self.status is CourseStatus.PUBLISHED
            assert state["node"] == (self.expected(is_staff=False) if is_published else None)
            assert set(map(str, state["nodes"])) <= {"None"}

    @invariant()
    def counters_have_no_drift(self) -> None:
        assert counter_drift(self.service.database) == []


@pytest.mark.slow
def test_curriculum_matches_the_model_after_any_changes(client: Client, service: Service) -> None:
    class Machine(CurriculumMachine):
        pass

    Machine.service, Machine.client = service, client
    examples = 12 if service.database.is_sqlite else 20
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            phases=set(Phase) - {Phase.explain},
            suppress_health_check=list(HealthCheck),
        ),
    )
