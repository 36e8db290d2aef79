"""Somebody who learns, as a player and a page of a course would ask for them."""

from typing import Any

from lms_graphql.catalog.models import Lecture
from lms_graphql.core.actor import Actor
from tests.concurrency import RaceRequest
from tests.factories import global_id
from tests.live_service import ACTOR_HEADER, Client

PAYLOAD = """{
  progress {
    id isCompleted watchSeconds positionSeconds startedAt completedAt lastAccessedAt lecture { id }
  }
  enrollment {
    id status completedAt lastAccessedAt certificate { id verificationCode pdfUrl status }
    progress {
      percent completedLectures totalLectures passedQuizzes totalQuizzes watchSeconds currentLecture { id title }
    }
  }
  errors { code message path }
}"""
REPORT = f"mutation R($input: RecordLectureProgressInput!) {{ recordLectureProgress(input: $input) {PAYLOAD} }}"
TICK = f"mutation T($input: SetLectureCompletedInput!) {{ setLectureCompleted(input: $input) {PAYLOAD} }}"
BARE = "progress { id watchSeconds positionSeconds isCompleted } enrollment { id status } errors { code path }"
BARE_REPORT = (
    f"mutation R($input: RecordLectureProgressInput!) {{ recordLectureProgress(input: $input) {{ {BARE} }} }}"
)
BARE_TICK = f"mutation T($input: SetLectureCompletedInput!) {{ setLectureCompleted(input: $input) {{ {BARE} }} }}"
MINE = """query M($id: ID!) { node(id: $id) { ... on Course {
  viewerEnrollment {
    status completedAt lastAccessedAt certificate { id }
    progress {
      percent completedLectures totalLectures passedQuizzes totalQuizzes watchSeconds currentLecture { id title }
      lectures { lecture { id } isCompleted watchSeconds }
    }
  }
  sections { lectures { id viewerProgress { id isCompleted watchSeconds positionSeconds } } }
} } }"""


def report_of(lecture: Lecture | str, *stretches: tuple[int, int], position: int = 0) -> dict[str, Any]:
    id = lecture if isinstance(lecture, str) else global_id("Lecture", lecture)
    watched = [{"startSeconds": start, "endSeconds": end} for start, end in stretches]
    return {"lectureId": id, "positionSeconds": position, "watched": watched}


def tick_of(lecture: Lecture | str, is_completed: bool = True) -> dict[str, Any]:
    id = lecture if isinstance(lecture, str) else global_id("Lecture", lecture)
    return {"lectureId": id, "isCompleted": is_completed}


class Learner:
    def __init__(self, client: Client, actor: Actor) -> None:
        self._client = client
        self.actor = actor

    def watches(self, lecture: Lecture | str, *stretches: tuple[int, int], position: int = 0) -> Any:
        """The payload of a report that is taken."""
        return self._taken(REPORT, report_of(lecture, *stretches, position=position))

    def ticks(self, lecture: Lecture | str, is_completed: bool = True) -> Any:
        return self._taken(TICK, tick_of(lecture, is_completed))

    def user_errors(self, document: str, input: dict[str, Any]) -> list[tuple[str, list[str]]]:
        """Code and path of each fault."""
        (payload,) = self._client.execute(document, as_=self.actor, input=input).values()
        assert (payload["progress"], payload["enrollment"]) == (None, None)
        return [(error["code"], error["path"]) for error in payload["errors"]]

    def sees(self, course_id: str) -> Any:
        return self._client.execute(MINE, as_=self.actor, id=course_id)["node"]

    def enrollment(self, course_id: str) -> Any:
        return self.sees(course_id)["viewerEnrollment"]

    def _taken(self, document: str, input: dict[str, Any]) -> Any:
        (payload,) = self._client.execute(document, as_=self.actor, input=input).values()
        assert payload["errors"] == []
        return payload


def asks(document: str, actor: Actor, input: dict[str, Any]) -> RaceRequest:
    """For a race."""
    return RaceRequest(document, {"input": input}, headers={ACTOR_HEADER: f"{actor.key}:{actor.role}"})
