"""Random steps of learners and an author: the progress shown is that of a simple model."""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import update

from lms_graphql.catalog.models import CourseStatus
from lms_graphql.learning.models import CourseProgress
from lms_graphql.learning.services import progress_repair
from tests.catalog.curriculum_client import CurriculumClient
from tests.factories import Factories, global_id
from tests.learning.progress_client import ProgressClient
from tests.live_service import Client, Service
from tests.row_writer import START

MAX_RANGE_SECONDS = 20
RANDOMS = st.randoms(use_true_random=False)
LEARNER_INDEXES = st.integers(0, 1)


@dataclass
class ModelLearner:
    client: ProgressClient
    completed: set[str] = field(default_factory=set)
    watched: dict[str, set[int]] = field(default_factory=dict)
    has_completed_course: bool = False


class ProgressMachine(RuleBasedStateMachine):
    """Two learners and the author of a course. `sections` holds the ids of lectures by id of their section."""

    service: Service
    client: Client

    @initialize()
    def create_course(self) -> None:
        self.service.delete_all_rows()
        make = Factories(self.service.database)
        # An archived course, because all lectures of a published one cannot be deleted.
        self.course = make.course(sections=2, lectures=2, status=CourseStatus.ARCHIVED)
        self.videos = [global_id("Lecture", row) for row in self.course.lectures]
        self.sections = {
            global_id("Section", row): self.videos[2 * index : 2 * index + 2]
            for index, row in enumerate(self.course.sections)
        }
        self.author = CurriculumClient(self.client, make.actor(self.course.instructor))
        self.learners = []
        for _ in range(2):
            user = make.user()
            make.enrollment(user, self.course)
            self.learners.append(ModelLearner(ProgressClient(self.client, make.actor(user))))
        self.lecture_count = 0

    def lectures(self) -> list[str]:
        return [lecture for lectures in self.sections.values() for lecture in lectures]

    def complete(self, *learners: ModelLearner) -> None:
        """Complete the course for learners who have completed all its lectures, for good."""
        for learner in learners:
            if self.lectures() and set(self.lectures()) <= learner.completed:
                learner.has_completed_course = True

    @rule(random=RANDOMS, index=LEARNER_INDEXES, is_completed=st.booleans())
    def set_completed(self, random: Any, index: int, is_completed: bool) -> None:
        if self.lectures():
            learner, lecture = self.learners[index], random.choice(self.lectures())
            payload = learner.client.set_completed(lecture, is_completed)
            (learner.completed.add if is_completed else learner.completed.discard)(lecture)
            self.complete(learner)
            assert (payload["enrollment"]["status"] == "COMPLETED") is learner.has_completed_course

    @rule(
        random=RANDOMS,
        index=LEARNER_INDEXES,
        start=st.integers(-5, 70),
        length=st.integers(0, MAX_RANGE_SECONDS),
    )
    def watch(self, random: Any, index: int, start: int, length: int) -> None:
        """Watch one of the first lectures, which are videos of a minute."""
        videos = [video for video in self.videos if video in self.lectures()]
        if not videos:
            return
        learner, lecture = self.learners[index], random.choice(videos)
        long_ago = update(CourseProgress).values(credit_since=START)
        self.service.database.write_sync(lambda session: session.execute(long_ago) and None)
        payload = learner.client.record(lecture, (start, start + length))
        before = learner.watched.get(lecture, set())
        after = learner.watched[lecture] = before | set(range(max(0, start), min(60, start + length)))
        assert payload["progress"]["watchSeconds"] == len(after)
        if len(after) > len(before) and len(after) >= 54:
            learner.completed.add(lecture)
            self.complete(learner)
        assert payload["progress"]["isCompleted"] is (lecture in learner.completed)

    @rule(random=RANDOMS)
    def add_lecture(self, random: Any) -> None:
        if self.sections:
            section, self.lecture_count = random.choice(sorted(self.sections)), self.lecture_count + 1
            values = {"title": f"More {self.lecture_count}", "type": "TEXT", "body": "Words"}
            lecture = self.author.ok("createLecture", sectionId=section, **values)
            self.sections[section].append(lecture["id"])

    @rule(random=RANDOMS)
    def delete_lecture(self, random: Any) -> None:
        if self.lectures():
            lecture = random.choice(self.lectures())
            self.author.ok("deleteLecture", lectureId=lecture)
            self.remove(lecture)
            self.complete(*self.learners)

    @rule(random=RANDOMS)
    def delete_section(self, random: Any) -> None:
        if self.sections and random.random() < 0.3:
            section = random.choice(sorted(self.sections))
            self.author.ok("deleteSection", sectionId=section)
            del self.sections[section]
            self.complete(*self.learners)

    @rule(random=RANDOMS)
    def move_lecture(self, random: Any) -> None:
        if self.lectures():
            lecture, target = random.choice(self.lectures()), random.choice(sorted(self.sections))
            self.author.ok("moveLecture", lectureId=lecture, sectionId=target, position=0)
            self.remove(lecture)
            self.sections[target].append(lecture)

    def remove(self, lecture: str) -> None:
        for lectures in self.sections.values():
            if lecture in lectures:
                lectures.remove(lecture)

    @invariant()
    def progress_matches_model(self) -> None:
        for learner in self.learners:
            enrollment = learner.client.enrollment(self.course.global_id)
            lectures, progress = self.lectures(), enrollment["progress"]
            completed = len(set(lectures) & learner.completed)
            assert progress["percent"] == percent(completed, len(lectures))
            assert (progress["percent"] == 100) is (bool(lectures) and completed == len(lectures))
            assert (progress["completedLectures"], progress["totalLectures"]) == (completed, len(lectures))
            assert progress["watchSeconds"] == sum(map(len, learner.watched.values()))
            assert (enrollment["status"] == "COMPLETED") is learner.has_completed_course
            assert (enrollment["certificate"] is not None) is learner.has_completed_course
            assert progress["currentLecture"] is None or progress["currentLecture"]["id"] in lectures

    @invariant()
    def counters_have_no_drift(self) -> None:
        assert self.service.database.read_sync(progress_repair.find_progress_drift) == []


def percent(done: int, required: int) -> float:
    if not required:
        return 0.0
    return float((Decimal(done * 100) / required).quantize(Decimal("0.01"), ROUND_HALF_UP))


@pytest.mark.slow
def test_progress_matches_model_after_random_steps(client: Client, service: Service) -> None:
    class Machine(ProgressMachine):
        pass

    Machine.service, Machine.client = service, client
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=10 if service.database.is_sqlite else 12,
            stateful_step_count=20,
            deadline=None,
            phases=set(Phase) - {Phase.explain},
            suppress_health_check=list(HealthCheck),
        ),
    )
