"""Checks that a course must pass to be published. No database."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from lms_graphql.catalog.models import LectureType


class PublishProblemCode(StrEnum):
    NO_TITLE = "no_title"
    NO_DESCRIPTION = "no_description"
    NO_CATEGORY = "no_category"
    NO_SECTION = "no_section"
    EMPTY_SECTION = "empty_section"
    NO_LECTURE = "no_lecture"
    NO_VIDEO = "no_video"
    NO_CONTENT = "no_content"
    NO_QUIZ = "no_quiz"
    QUIZ_NOT_PUBLISHED = "quiz_not_published"


class PublishIssue(NamedTuple):
    """A reason why a course cannot be published.

    `about` is the kind and key of the section or lecture with the problem, or None for the course itself.
    """

    code: PublishProblemCode
    message: str
    about: tuple[str, int] | None = None


class CourseFacts(NamedTuple):
    key: int
    title: str
    description: str
    category_key: int | None


class SectionFacts(NamedTuple):
    key: int
    title: str


class LectureFacts(NamedTuple):
    key: int
    section_key: int
    title: str
    type: LectureType
    video_url: str | None
    resource_url: str | None
    has_body: bool


def find_problems(
    course: CourseFacts, sections: Sequence[SectionFacts], lectures: Sequence[LectureFacts]
) -> list[PublishIssue]:
    """Return all problems: those of the course, then of its sections, then of its lectures, each in their order."""
    return [
        *_course_problems(course, sections, lectures),
        *_section_problems(sections, lectures),
        *_lecture_problems(lectures),
    ]


def _course_problems(
    course: CourseFacts, sections: Sequence[object], lectures: Sequence[object]
) -> Iterable[PublishIssue]:
    if not course.title.strip():
        yield PublishIssue(PublishProblemCode.NO_TITLE, "The course has no title. Add one.")
    if not course.description.strip():
        yield PublishIssue(PublishProblemCode.NO_DESCRIPTION, "The course has no description. Add one.")
    if course.category_key is None:
        yield PublishIssue(PublishProblemCode.NO_CATEGORY, "The course has no category. Choose one.")
    if not sections:
        yield PublishIssue(PublishProblemCode.NO_SECTION, "The course has no sections. Add one.")
    if not lectures:
        yield PublishIssue(PublishProblemCode.NO_LECTURE, "The course has no lectures. Add one.")


def _section_problems(sections: Sequence[SectionFacts], lectures: Sequence[LectureFacts]) -> Iterable[PublishIssue]:
    non_empty = {lecture.section_key for lecture in lectures}
    for section in sections:
        if section.key not in non_empty:
            message = f'The section "{section.title}" has no lectures. Add one, or delete the section.'
            yield PublishIssue(PublishProblemCode.EMPTY_SECTION, message, ("Section", section.key))


def _lecture_problems(lectures: Sequence[LectureFacts]) -> Iterable[PublishIssue]:
    for lecture in lectures:
        about = ("Lecture", lecture.key)
        if lecture.type is LectureType.VIDEO and not lecture.video_url:
            message = f'The lecture "{lecture.title}" has no video. Add its URL.'
            yield PublishIssue(PublishProblemCode.NO_VIDEO, message, about)
        has_content = lecture.has_body or bool(lecture.resource_url)
        if lecture.type in {LectureType.TEXT, LectureType.RESOURCE} and not has_content:
            message = f'The lecture "{lecture.title}" has no content. Add a text or the URL of a resource.'
            yield PublishIssue(PublishProblemCode.NO_CONTENT, message, about)
