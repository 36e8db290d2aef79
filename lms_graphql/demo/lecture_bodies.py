"""Markdown for the lectures that are read."""

from random import Random

from lms_graphql.catalog.models import LectureType
from lms_graphql.demo import resources
from lms_graphql.demo.outlines import LectureOutline

WITH_BODY = (LectureType.TEXT, LectureType.ASSIGNMENT)


def body_of(lecture: LectureOutline, section: str, language: str, rng: Random) -> str | None:
    """None for lectures that are watched, taken or downloaded."""
    if lecture.kind not in WITH_BODY:
        return None
    if lecture.body is not None:
        return lecture.body
    templates: list[str] = resources.read("pools/bodies")[language][lecture.kind.value]
    return rng.choice(templates).strip().format(title=lecture.title, section=section)
