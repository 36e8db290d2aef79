"""A client for progress mutations, as players and course pages use them."""

from typing import Any, ClassVar

from lms_graphql.catalog.models import Lecture
from tests.concurrency import RaceRequest
from tests.factories import global_id
from tests.mutation_client import MutationClient

INPUT_TYPES = {
    "recordLectureProgress": "RecordLectureProgressInput",
    "setLectureCompleted": "SetLectureCompletedInput",
}
PROGRESS = """
progress {
  id isCompleted watchSeconds positionSeconds startedAt completedAt lastAccessedAt lecture { id }
}
enrollment {
  id status completedAt lastAccessedAt certificate { id verificationCode pdfUrl status }
  progress {
    percent completedLectures totalLectures passedQuizzes totalQuizzes watchSeconds currentLecture { id title }
  }
}"""
BRIEF_PROGRESS = "progress { id watchSeconds positionSeconds isCompleted } enrollment { id status }"
COURSE_PROGRESS = """query M($id: ID!) { node(id: $id) { ... on Course {
  viewerEnrollment {
    status completedAt lastAccessedAt certificate { id }
    progress {
      percent completedLectures totalLectures passedQuizzes totalQuizzes watchSeconds currentLecture { id title }
      lectures { lecture { id } isCompleted watchSeconds }
    }
  }
  sections { lectures { id viewerProgress { id isCompleted watchSeconds positionSeconds } } }
} } }"""


def record_input(lecture: Lecture | str, *ranges: tuple[float, float], position: float = 0) -> dict[str, Any]:
    watched = [{"startSeconds": start, "endSeconds": end} for start, end in ranges]
    return {"lectureId": _lecture_id(lecture), "positionSeconds": position, "watched": watched}


def completed_input(lecture: Lecture | str, is_completed: bool = True) -> dict[str, Any]:
    return {"lectureId": _lecture_id(lecture), "isCompleted": is_completed}


def _lecture_id(lecture: Lecture | str) -> str:
    return lecture if isinstance(lecture, str) else global_id("Lecture", lecture)


class ProgressClient(MutationClient):
    """One learner's mutations of progress, and what they see of it."""

    documents: ClassVar[dict[str, tuple[str, str]]] = {
        mutation: (input_type, PROGRESS) for mutation, input_type in INPUT_TYPES.items()
    }

    def record(self, lecture: Lecture | str, *ranges: tuple[float, float], position: float = 0) -> Any:
        """Return the payload of a report. Any error fails the test."""
        return self._without_errors("recordLectureProgress", record_input(lecture, *ranges, position=position))

    def set_completed(self, lecture: Lecture | str, is_completed: bool = True) -> Any:
        """Return the payload of marking a lecture. Any error fails the test."""
        return self._without_errors("setLectureCompleted", completed_input(lecture, is_completed))

    def user_errors(self, mutation: str, **input: Any) -> list[tuple[str, str]]:
        """Return code and path below `input` of each error in the payload, whose other fields must be null."""
        payload = self.payload(mutation, **input)
        errors = payload.pop("errors")
        assert payload == {"progress": None, "enrollment": None}
        assert all(error["path"][0] == "input" for error in errors)
        return [(error["code"], ".".join(error["path"][1:])) for error in errors]

    def course(self, course_id: str) -> Any:
        return self._client.execute(COURSE_PROGRESS, as_=self.actor, id=course_id)["node"]

    def enrollment(self, course_id: str) -> Any:
        return self.course(course_id)["viewerEnrollment"]

    def _without_errors(self, mutation: str, input: dict[str, Any]) -> Any:
        payload = self.payload(mutation, **input)
        assert payload["errors"] == []
        return payload


class BriefProgressClient(MutationClient):
    """The same mutations with a small selection, for races and query budgets."""

    documents: ClassVar[dict[str, tuple[str, str]]] = {
        mutation: (input_type, BRIEF_PROGRESS) for mutation, input_type in INPUT_TYPES.items()
    }


RECORD = ProgressClient.document("recordLectureProgress")
SET_COMPLETED = ProgressClient.document("setLectureCompleted")
BRIEF_RECORD = BriefProgressClient.document("recordLectureProgress")
BRIEF_SET_COMPLETED = BriefProgressClient.document("setLectureCompleted")


def record_request(bearer: str, lecture: Lecture | str, *ranges: tuple[int, int], position: int = 0) -> RaceRequest:
    return RaceRequest(BRIEF_RECORD, {"input": record_input(lecture, *ranges, position=position)}, bearer)


def completed_request(bearer: str, lecture: Lecture | str, is_completed: bool = True) -> RaceRequest:
    return RaceRequest(BRIEF_SET_COMPLETED, {"input": completed_input(lecture, is_completed)}, bearer)
