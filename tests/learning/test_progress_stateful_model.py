"""Any steps of learners and an author in any order: the progress that is shown is what a simple model says."""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import update

from lms_graphql.learning.models import CourseProgress
from lms_graphql.learning.services import progress_repair
from tests.catalog.curriculum_client import CurriculumClient
from tests.factories import START, Factories, global_id
from tests.learning.progress_client import Learner
from tests.live_service import Client, Service

SECONDS = 20
ANY = st.randoms(use_true_random=False)


@dataclass
class ModelLearner:
    learner: Learner
    done: set[str] = field(default_factory=set)
    watched: dict[str, set[int]] = field(default_factory=dict)
    is_completed: bool = False


class Studying(RuleBasedStateMachine):
    service: Service
    client: Client

    @initialize()
    def begin(self) -> None:
        self.service.empty()
        make = Factories(self.service.database)
        self.course = make.course(sections=2, lectures=2)
        rows = self.course.lectures
        self.lectures = {
            global_id("Section", row): rows[2 * n : 2 * n + 2] for n, row in enumerate(self.course.sections)
        }
        self.kept = {name: [global_id("Lecture", row) for row in several] for name, several in self.lectures.items()}
        self.author = CurriculumClient(self.client, make.actor(self.course.instructor))
        self.people = []
        for _ in range(2):
            person = make.user()
            make.enrollment(person, self.course)
            self.people.append(ModelLearner(Learner(self.client, make.actor(person))))
        self.count = 0

    def there(self) -> list[str]:
        return [lecture for several in self.kept.values() for lecture in several]

    def settle(self, *people: ModelLearner) -> None:
        """Everything that there is, done by somebody, completes them for good."""
        for one in people:
            if self.there() and set(self.there()) <= one.done:
                one.is_completed = True

    @rule(random=ANY, who=st.integers(0, 1), is_completed=st.booleans())
    def tick(self, random: Any, who: int, is_completed: bool) -> None:
        if self.there():
            one, lecture = self.people[who], random.choice(self.there())
            payload = one.learner.ticks(lecture, is_completed)
            (one.done.add if is_completed else one.done.discard)(lecture)
            self.settle(one)
            assert (payload["enrollment"]["status"] == "COMPLETED") is one.is_completed

    @rule(random=ANY, who=st.integers(0, 1), start=st.integers(-5, 70), length=st.integers(0, SECONDS))
    def watch(self, random: Any, who: int, start: int, length: int) -> None:
        """The lectures that were there in the beginning are videos of a minute."""
        videos = [
            global_id("Lecture", row) for row in self.course.lectures if global_id("Lecture", row) in self.there()
        ]
        if not videos:
            return
        one, lecture = self.people[who], random.choice(videos)
        long_ago = update(CourseProgress).values(reported_at=START)
        self.service.database.write_sync(lambda session: session.execute(long_ago) and None)
        payload = one.learner.watches(lecture, (start, start + length))
        before = one.watched.get(lecture, set())
        after = one.watched[lecture] = before | set(range(max(0, start), min(60, start + length)))
        assert payload["progress"]["watchSeconds"] == len(after)
        if len(after) > len(before) and len(after) >= 54:
            one.done.add(lecture)
            self.settle(one)
        assert payload["progress"]["isCompleted"] is (lecture in one.done)

    @rule(random=ANY)
    def add_lecture(self, random: Any) -> None:
        if self.kept:
            section, self.count = random.choice(sorted(self.kept)), self.count + 1
            said = {"title": f"More {self.count}", "type": "TEXT", "body": "Words"}
            made = self.author.ok("createLecture", sectionId=section, **said)
            self.kept[section].append(made["id"])

    @rule(random=ANY)
    def remove_lecture(self, random: Any) -> None:
        if self.there():
            lecture = random.choice(self.there())
            self.author.ok("deleteLecture", lectureId=lecture)
            for several in self.kept.values():
                if lecture in several:
                    several.remove(lecture)
            self.settle(*self.people)

    @rule(random=ANY)
    def remove_section(self, random: Any) -> None:
        if self.kept and random.random() < 0.3:
            section = random.choice(sorted(self.kept))
            self.author.ok("deleteSection", sectionId=section)
            del self.kept[section]
            self.settle(*self.people)

    @rule(random=ANY)
    def move_lecture(self, random: Any) -> None:
        if self.there():
            lecture, target = random.choice(self.there()), random.choice(sorted(self.kept))
            self.author.ok("moveLecture", lectureId=lecture, sectionId=target, position=0)
            for several in self.kept.values():
                if lecture in several:
                    several.remove(lecture)
            self.kept[target].append(lecture)

    @invariant()
    def everyone_sees_the_model(self) -> None:
        for one in self.people:
            seen = one.learner.enrollment(self.course.global_id)
            there, done = self.there(), len(set(self.there()) & one.done)
            progress = seen["progress"]
            assert progress["percent"] == percent(done, len(there))
            assert (progress["percent"] == 100) is (bool(there) and done == len(there))
            assert (progress["completedLectures"], progress["totalLectures"]) == (done, len(there))
            assert progress["watchSeconds"] == sum(map(len, one.watched.values()))
            assert (seen["status"] == "COMPLETED") is one.is_completed
            assert (seen["certificate"] is not None) is one.is_completed
            assert progress["currentLecture"] is None or progress["currentLecture"]["id"] in there

    @invariant()
    def nothing_drifts(self) -> None:
        assert self.service.database.read_sync(progress_repair.find_progress_drift) == []


def percent(done: int, required: int) -> float:
    if not required:
        return 0.0
    return float((Decimal(done * 100) / required).quantize(Decimal("0.01"), ROUND_HALF_UP))


@pytest.mark.slow
def test_any_steps_leave_the_progress_that_a_simple_model_says(client: Client, service: Service) -> None:
    class Here(Studying):
        pass

    Here.service, Here.client = service, client
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=10 if service.database.is_sqlite else 30,
            stateful_step_count=20,
            deadline=None,
            phases=set(Phase) - {Phase.explain},
            suppress_health_check=list(HealthCheck),
        ),
    )
