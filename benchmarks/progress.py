"""The command `benchmarks/progress`: number of progress reports that one process handles per second."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from benchmarks.commands import run_command
from benchmarks.learner_load import LearnerLoad, load_command
from benchmarks.service import Connection
from lms_graphql.catalog.models import Course, Lecture, LectureType, Section
from lms_graphql.core import global_ids

LECTURES, LECTURE_SECONDS = 50, 3_600
REPORT_SECONDS = 5
"""Seconds of a lecture in each report."""
REPORT = """mutation ($l: ID!, $p: Float!, $w: [WatchedRangeInput!]!) {
  recordLectureProgress(input: {lectureId: $l, positionSeconds: $p, watched: $w}) {
    progress { id watchSeconds positionSeconds isCompleted } enrollment { id status } errors { code }
  }
}"""


def insert_lectures(session: Session, course: Course) -> list[str]:
    """Return the ids of the lectures."""
    course.total_lectures = LECTURES
    section = Section(course_id=course.id, title="Section", order_index=0, total_lectures=LECTURES)
    session.add(section)
    session.flush()
    values = {"section_id": section.id, "course_id": course.id, "duration": LECTURE_SECONDS}
    lectures = [
        Lecture(title="Lecture", order_index=index, lecture_type=LectureType.VIDEO, **values)
        for index in range(LECTURES)
    ]
    session.add_all(lectures)
    session.flush()
    return [global_ids.encode("Lecture", lecture.id) for lecture in lectures]


async def watch(connection: Connection, lectures: list[str]) -> Iterator[dict[str, Any]]:
    """Return the variables of the reports of a learner who watches one lecture after the other."""
    return (_report(lectures, number) for number in count())


def _report(lectures: list[str], number: int) -> dict[str, Any]:
    """Return a report of all that was watched of a lecture.

    Learners report faster than they could watch, so most seconds exceed the credit. If only the last ones were
    reported, they would leave hundreds of gaps, which real players do not.
    """
    lecture, second = divmod(number * REPORT_SECONDS, LECTURE_SECONDS)
    watched = [{"startSeconds": 0, "endSeconds": second + REPORT_SECONDS}]
    return {"l": lectures[lecture % len(lectures)], "p": second, "w": watched}


LOAD = LearnerLoad("reports", "recordLectureProgress", REPORT, insert_lectures, watch)

if __name__ == "__main__":
    run_command(load_command(LOAD), "benchmarks/progress")
