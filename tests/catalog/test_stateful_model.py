"""Any steps of an author in any order: what the service shows is what a simple model says."""

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
from tests.catalog.curriculum_client import COURSE, CurriculumClient, drift
from tests.factories import Factories, global_id
from tests.live_service import Client, Service

VIEW = f"""
query V($id: ID!, $ids: [ID!]!) {{
  node(id: $id) {{
    ... on Course {{ {COURSE.strip()[8:-1]} inside: sections {{ lectures {{ isPreview content {{ body }} }} }} }}
  }}
  nodes(ids: $ids) {{ id }}
}}"""
POSITIONS = st.none() | st.integers(-1, 6) | st.just(2**31 - 1)
BODY = "A secret body"
SECONDS = st.sampled_from([0, 1, 60, 360_000])
ANY = st.randoms(use_true_random=False)


@dataclass
class ModelLecture:
    id: str
    title: str
    seconds: int
    is_preview: bool


@dataclass
class ModelSection:
    id: str
    title: str
    lectures: list[ModelLecture] = field(default_factory=list)


def inserted(rows: list[Any], row: Any, position: int | None) -> None:
    rows.insert(len(rows) if position is None else position, row)


class Authoring(RuleBasedStateMachine):
    service: Service
    client: Client

    @initialize()
    def begin(self) -> None:
        self.service.empty()
        make = Factories(self.service.database)
        course = make.course(sections=2, lectures=3, status=CourseStatus.DRAFT)
        self.other = make.course(instructor=course.instructor, status=CourseStatus.DRAFT)
        self.course, self.version, self.status = course, 1, CourseStatus.DRAFT
        self.author = CurriculumClient(self.client, make.actor(course.instructor))
        self.rival = CurriculumClient(self.client, make.actor(make.user(Role.INSTRUCTOR)))
        rows = [
            ModelLecture(global_id("Lecture", row), row.title, row.duration, row.is_preview)
            for row in course.lectures
        ]
        self.sections = [
            ModelSection(global_id("Section", row), row.title, rows[3 * n : 3 * n + 3])
            for n, row in enumerate(course.sections)
        ]
        self.gone: list[str] = []
        self.count = 0

    def title(self) -> str:
        self.count += 1
        return f"Title {self.count}"

    def lectures(self) -> list[tuple[ModelSection, ModelLecture]]:
        return [(section, lecture) for section in self.sections for lecture in section.lectures]

    def ok(self, mutation: str, **input: Any) -> Any:
        done = self.author.ok(mutation, **input)
        self.version += 1
        return done

    @rule(position=POSITIONS)
    def create_section(self, position: int | None) -> None:
        input = {"courseId": self.course.global_id, "title": self.title(), "position": position}
        if position is not None and position < 0:
            assert self.author.user_errors("createSection", **input) == [("OUT_OF_RANGE", "position")]
        else:
            made = self.ok("createSection", **input)
            inserted(self.sections, ModelSection(made["id"], made["title"]), position)

    @rule(random=ANY, position=POSITIONS, seconds=SECONDS, is_preview=st.booleans())
    def create_lecture(self, random: Any, position: int | None, seconds: int, is_preview: bool) -> None:
        if not self.sections:
            return
        section = random.choice(self.sections)
        input = {"sectionId": section.id, "title": self.title(), "type": "TEXT", "body": BODY, "position": position}
        input |= {"durationSeconds": seconds, "isPreview": is_preview}
        if position is not None and position < 0:
            assert self.author.user_errors("createLecture", **input) == [("OUT_OF_RANGE", "position")]
        else:
            made = self.ok("createLecture", **input)
            inserted(section.lectures, ModelLecture(made["id"], made["title"], seconds, is_preview), position)

    @rule(random=ANY)
    def update_section(self, random: Any) -> None:
        if self.sections:
            section = random.choice(self.sections)
            section.title = self.title()
            self.ok("updateSection", sectionId=section.id, title=section.title)

    @rule(random=ANY, seconds=SECONDS, is_preview=st.booleans())
    def update_lecture(self, random: Any, seconds: int, is_preview: bool) -> None:
        if self.lectures():
            _, lecture = random.choice(self.lectures())
            lecture.seconds, lecture.is_preview = seconds, is_preview
            self.ok("updateLecture", lectureId=lecture.id, durationSeconds=seconds, isPreview=is_preview)

    @rule(random=ANY)
    def delete_section(self, random: Any) -> None:
        if self.sections:
            section = random.choice(self.sections)
            self.ok("deleteSection", sectionId=section.id)
            self.sections.remove(section)
            self.gone += [section.id, *(lecture.id for lecture in section.lectures)]

    @rule(random=ANY)
    def delete_lecture(self, random: Any) -> None:
        if self.lectures():
            section, lecture = random.choice(self.lectures())
            self.ok("deleteLecture", lectureId=lecture.id)
            section.lectures.remove(lecture)
            self.gone.append(lecture.id)

    @rule(random=ANY, position=st.integers(-1, 6))
    def move_lecture(self, random: Any, position: int) -> None:
        if not self.lectures():
            return
        (section, lecture), target = random.choice(self.lectures()), random.choice(self.sections)
        input = {"lectureId": lecture.id, "sectionId": target.id, "position": position}
        if position < 0:
            assert self.author.user_errors("moveLecture", **input) == [("OUT_OF_RANGE", "position")]
        else:
            self.ok("moveLecture", **input)
            section.lectures.remove(lecture)
            inserted(target.lectures, lecture, position)

    @rule(random=ANY)
    def move_lecture_to_another_course(self, random: Any) -> None:
        if self.lectures():
            _, lecture = random.choice(self.lectures())
            input = {
                "lectureId": lecture.id,
                "sectionId": global_id("Section", self.other.sections[0]),
                "position": 0,
            }
            assert self.author.user_errors("moveLecture", **input) == [("INVALID", "sectionId")]

    @rule(random=ANY, of_sections=st.booleans(), version=st.sampled_from(["right", "none", "old"]))
    def reorder(self, random: Any, of_sections: bool, version: str) -> None:
        if of_sections or not self.sections:
            rows: list[Any] = self.sections
            mutation, name = "reorderSections", "sectionIds"
            input: dict[str, Any] = {"courseId": self.course.global_id}
        else:
            section = random.choice(self.sections)
            rows = section.lectures
            mutation, name = "reorderLectures", "lectureIds"
            input = {"sectionId": section.id}
        if version != "none":
            input["expectedVersion"] = self.version - (version == "old")
        turned = random.sample(rows, len(rows))
        wanted = {**input, name: [row.id for row in turned]}
        if version == "old":
            assert self.author.user_errors(mutation, **wanted) == [("STALE_VERSION", "expectedVersion")]
        else:
            self.ok(mutation, **wanted)
            rows[:] = turned

    @rule(random=ANY, how=st.sampled_from(["short", "twice", "gone", "strange"]))
    def reorder_wrongly(self, random: Any, how: str) -> None:
        if not self.sections:
            return
        ids = [section.id for section in self.sections]
        strange = (
            random.choice(self.gone or [self.other.global_id])
            if how == "gone"
            else global_id("Section", self.other.sections[0])
        )
        wrong = {"short": ids[1:], "twice": [*ids, ids[0]]}.get(how, [*ids[1:], strange])
        refused = self.author.user_errors("reorderSections", courseId=self.course.global_id, sectionIds=wrong)
        assert refused == [("INVALID", "sectionIds")]

    @rule(random=ANY)
    def change_what_is_gone(self, random: Any) -> None:
        if self.gone:
            id = random.choice(self.gone)
            steps = {"updateSection": "sectionId", "deleteSection": "sectionId", "deleteLecture": "lectureId"}
            for mutation, name in steps.items():
                title = {"title": "Back"} if mutation == "updateSection" else {}
                assert self.author.user_errors(mutation, **{name: id}, **title) == [("NOT_FOUND", name)]

    @rule(random=ANY)
    def a_rival_tries(self, random: Any) -> None:
        if self.lectures():
            section, lecture = random.choice(self.lectures())
            steps = {
                "createSection": {"courseId": self.course.global_id, "title": "Theirs"},
                "deleteSection": {"sectionId": section.id},
                "updateLecture": {"lectureId": lecture.id, "title": "Theirs"},
                "moveLecture": {"lectureId": lecture.id, "sectionId": section.id, "position": 0},
            }
            mutation = random.choice(sorted(steps))
            answer = self.rival.graphql(mutation, **steps[mutation])
            if self.status is CourseStatus.PUBLISHED:
                assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
            else:
                assert [error["code"] for error in answer["data"][mutation]["errors"]] == ["NOT_FOUND"]

    @rule(status=st.sampled_from(list(CourseStatus)))
    def become(self, status: CourseStatus) -> None:
        """By hand: what stops a publication is not what this is about."""
        set_status = update(Course).where(Course.id == self.course.row.id)
        values = {"status": status, "published_at": datetime(2026, 1, 1, tzinfo=UTC)}
        self.service.database.write_sync(lambda session: session.execute(set_status.values(values)) and None)
        self.status = status

    def shown(self, actor: Actor) -> Any:
        return self.client.execute(VIEW, as_=actor, id=self.course.global_id, ids=self.gone[-100:])

    def expected(self, is_staff: bool) -> Any:
        sections = [
            {
                "id": section.id,
                "title": section.title,
                "position": place,
                "lectureCount": len(section.lectures),
                "durationSeconds": sum(lecture.seconds for lecture in section.lectures),
                "lectures": [
                    {"id": lecture.id, "title": lecture.title, "position": inner}
                    for inner, lecture in enumerate(section.lectures)
                ],
            }
            for place, section in enumerate(self.sections)
        ]
        return {
            "id": self.course.global_id,
            "version": self.version,
            "sectionCount": len(sections),
            "lectureCount": sum(section["lectureCount"] for section in sections),
            "durationSeconds": sum(section["durationSeconds"] for section in sections),
            "sections": sections,
            "inside": [
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
            ],
        }

    @invariant()
    def the_author_sees_the_model(self) -> None:
        seen = self.shown(self.author.actor)
        assert seen["node"] == self.expected(is_staff=True)
        assert set(map(str, seen["nodes"])) <= {"None"}

    @invariant()
    def everyone_else_sees_it_where_it_is_published(self) -> None:
        for actor in (ANONYMOUS, self.rival.actor):
            seen = self.shown(actor)
            is_there = self.status is CourseStatus.PUBLISHED
            assert seen["node"] == (self.expected(is_staff=False) if is_there else None)
            assert set(map(str, seen["nodes"])) <= {"None"}

    @invariant()
    def nothing_drifts(self) -> None:
        assert drift(self.service.database) == []


@pytest.mark.slow
def test_any_steps_leave_what_a_simple_model_says(client: Client, service: Service) -> None:
    class Here(Authoring):
        pass

    Here.service, Here.client = service, client
    examples = 12 if service.database.is_sqlite else 40
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            phases=set(Phase) - {Phase.explain},
            suppress_health_check=list(HealthCheck),
        ),
    )
