"""What a course needs to be published, and what it lacks of that."""

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
    """`about`: the kind and key of the section, lecture or quiz; None where it is the course itself."""

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
    """Everything at once: of the course, then of its sections, then of its lectures, each in their order."""
    return [*_of_course(course, sections, lectures), *_of_sections(sections, lectures), *_of_lectures(lectures)]


def _of_course(course: CourseFacts, sections: Sequence[object], lectures: Sequence[object]) -> Iterable[PublishIssue]:
    if not course.title.strip():
        yield PublishIssue(PublishProblemCode.NO_TITLE, "Give the course a title.")
    if not course.description.strip():
        yield PublishIssue(PublishProblemCode.NO_DESCRIPTION, "Describe the course.")
    if course.category_key is None:
        yield PublishIssue(PublishProblemCode.NO_CATEGORY, "Choose a category for the course.")
    if not sections:
        yield PublishIssue(PublishProblemCode.NO_SECTION, "Add a section.")
    if not lectures:
        yield PublishIssue(PublishProblemCode.NO_LECTURE, "Add a lecture.")


def _of_sections(sections: Sequence[SectionFacts], lectures: Sequence[LectureFacts]) -> Iterable[PublishIssue]:
    filled = {lecture.section_key for lecture in lectures}
    for section in sections:
        if section.key not in filled:
            message = f'Add a lecture to the section "{section.title}", or remove it.'
            yield PublishIssue(PublishProblemCode.EMPTY_SECTION, message, ("Section", section.key))


def _of_lectures(lectures: Sequence[LectureFacts]) -> Iterable[PublishIssue]:
    for lecture in lectures:
        about = ("Lecture", lecture.key)
        if lecture.type is LectureType.VIDEO and not lecture.video_url:
            yield PublishIssue(PublishProblemCode.NO_VIDEO, f'Add a video to the lecture "{lecture.title}".', about)
        has_content = lecture.has_body or bool(lecture.resource_url)
        if lecture.type in {LectureType.TEXT, LectureType.RESOURCE} and not has_content:
            message = f'Add a text or an address to the lecture "{lecture.title}".'
            yield PublishIssue(PublishProblemCode.NO_CONTENT, message, about)
