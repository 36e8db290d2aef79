"""Markdown texts of lectures and assignments."""

from random import Random

from lms_graphql.catalog.models import LectureType
from lms_graphql.demo import resources
from lms_graphql.demo.outlines import LectureOutline

TYPES_WITH_BODY = (LectureType.TEXT, LectureType.ASSIGNMENT)


def lecture_body(lecture: LectureOutline, section: str, language: str, rng: Random) -> str | None:
    """Return the Markdown of a text lecture or an assignment, and None for other types."""
    if lecture.kind not in TYPES_WITH_BODY:
        return None
    if lecture.body is not None:
        return lecture.body
    templates: list[str] = resources.read("pools/bodies")[language][lecture.kind.value]
    return rng.choice(templates).strip().format(title=lecture.title, section=section)
