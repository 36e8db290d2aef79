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


class PublishProblemFacts(NamedTuple):
    """A reason why a course cannot be published.

    `subject_reference` is the kind and key of the section, lecture or quiz with the problem, or None for the course
    itself.
    """

    code: PublishProblemCode
    message: str
    subject_reference: tuple[str, int] | None = None

    @property
    def identity(self) -> tuple[PublishProblemCode, tuple[str, int] | None]:
        """Values that stay the same for the same problem. Its message does not, because it contains titles."""
        return self.code, self.subject_reference


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
) -> list[PublishProblemFacts]:
    """Return all problems: those of the course, then of its sections, then of its lectures, each in their order."""
    return [
        *_course_problems(course, sections, lectures),
        *_section_problems(sections, lectures),
        *_lecture_problems(lectures),
    ]


def _course_problems(
    course: CourseFacts, sections: Sequence[object], lectures: Sequence[object]
) -> Iterable[PublishProblemFacts]:
    if not course.title.strip():
        yield PublishProblemFacts(PublishProblemCode.NO_TITLE, "The course has no title. Add one.")
    if not course.description.strip():
        yield PublishProblemFacts(PublishProblemCode.NO_DESCRIPTION, "The course has no description. Add one.")
    if course.category_key is None:
        yield PublishProblemFacts(PublishProblemCode.NO_CATEGORY, "The course has no category. Choose one.")
    if not sections:
        yield PublishProblemFacts(PublishProblemCode.NO_SECTION, "The course has no sections. Add one.")
    if not lectures:
        yield PublishProblemFacts(PublishProblemCode.NO_LECTURE, "The course has no lectures. Add one.")


def _section_problems(
    sections: Sequence[SectionFacts], lectures: Sequence[LectureFacts]
) -> Iterable[PublishProblemFacts]:
    non_empty = {lecture.section_key for lecture in lectures}
    for section in sections:
        if section.key not in non_empty:
            message = f'The section "{section.title}" has no lectures. Add one, or delete the section.'
            yield PublishProblemFacts(PublishProblemCode.EMPTY_SECTION, message, ("Section", section.key))


def _lecture_problems(lectures: Sequence[LectureFacts]) -> Iterable[PublishProblemFacts]:
    for lecture in lectures:
        subject_reference = ("Lecture", lecture.key)
        if lecture.type is LectureType.VIDEO and not lecture.video_url:
            message = f'The lecture "{lecture.title}" has no video. Add its URL.'
            yield PublishProblemFacts(PublishProblemCode.NO_VIDEO, message, subject_reference)
        has_content = lecture.has_body or bool(lecture.resource_url)
        if lecture.type in {LectureType.TEXT, LectureType.RESOURCE} and not has_content:
            message = f'The lecture "{lecture.title}" has no content. Add a text or the URL of a resource.'
            yield PublishProblemFacts(PublishProblemCode.NO_CONTENT, message, subject_reference)
