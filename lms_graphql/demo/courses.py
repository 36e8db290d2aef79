"""Rows of demo courses: sections, lectures, totals and search terms, made from outlines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import NamedTuple

from lms_graphql.catalog.models import Course, CourseStatus, CourseTerm, Lecture, LectureType, Section
from lms_graphql.catalog.search_index import term_weights
from lms_graphql.core.money import Money, to_units
from lms_graphql.core.text import sort_key
from lms_graphql.demo import media
from lms_graphql.demo.lecture_bodies import lecture_body
from lms_graphql.demo.outlines import CourseOutline, LectureOutline
from lms_graphql.demo.quiz_outlines import QuizOutline
from lms_graphql.demo.quizzes import DemoQuiz, QuizContext, add_quiz
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.timeline import REVIEW_TIME

DURATION_SECONDS = {
    LectureType.VIDEO: (180, 1500),
    LectureType.TEXT: (120, 600),
    LectureType.QUIZ: (180, 600),
    LectureType.ASSIGNMENT: (900, 3600),
    LectureType.RESOURCE: (60, 180),
}
"""Shortest and longest duration of each type."""

PREVIEW_TYPES = (LectureType.VIDEO, LectureType.TEXT)


class DemoLecture(NamedTuple):
    key: int
    section_key: int
    kind: LectureType
    duration: int
    title: str
    quiz: DemoQuiz | None = None


class DemoCourse(NamedTuple):
    """
    Values of a course that enrollments and discussions need. Drafts have no `published_at`. `quizzes` are those of no
    lecture.
    """

    key: int
    instructor_key: int
    language: str
    title: str
    price: Money
    published_at: datetime | None
    lectures: Sequence[DemoLecture]
    quizzes: Sequence[DemoQuiz]

    @property
    def is_free(self) -> bool:
        return self.price.units == 0


class LecturePosition(NamedTuple):
    """Position of a lecture in its course."""

    section: int
    lecture: int


@dataclass(frozen=True, slots=True)
class CourseContext:
    """Values of a course that do not come from its outline."""

    key: int
    slug: str
    instructor_key: int
    category_key: int
    created_at: datetime


def add_course(rows: RowBuffer, outline: CourseOutline, context: CourseContext, rng: Random) -> DemoCourse:
    lectures = [
        lecture
        for section_index in range(len(outline.sections))
        for lecture in _add_section(rows, outline, context, section_index, rng)
    ]
    quizzes = tuple(_add_quiz(rows, outline, context, quiz, None, quiz.title, rng) for quiz in outline.quizzes)
    price = Money(to_units(outline.price, outline.currency), outline.currency)
    is_draft = outline.status is CourseStatus.DRAFT
    published_at = None if is_draft else context.created_at + REVIEW_TIME
    rows.add(
        Course,
        id=context.key,
        created_at=context.created_at,
        updated_at=published_at or context.created_at,
        title=outline.title,
        title_key=sort_key(outline.title),
        slug=context.slug,
        description=outline.description,
        short_description=outline.short_description,
        instructor_id=context.instructor_key,
        category_id=context.category_key,
        price=price.units,
        currency=price.currency,
        status=outline.status,
        difficulty_level=outline.difficulty,
        thumbnail_url=media.course_picture(context.slug),
        preview_video_url=None if is_draft else media.VIDEO,
        total_duration=sum(lecture.duration for lecture in lectures),
        total_lectures=len(lectures),
        enrollment_count=0,
        language=outline.language,
        is_featured=outline.is_featured,
        published_at=published_at,
        version=1,
    )
    _add_terms(rows, outline, context.key)
    names = (context.key, context.instructor_key, outline.language, outline.title)
    return DemoCourse(*names, price, published_at, tuple(lectures), quizzes)


def _add_terms(rows: RowBuffer, outline: CourseOutline, course_key: int) -> None:
    weights = term_weights(outline.title, outline.short_description, outline.description)
    for term in sorted(weights):
        rows.add(CourseTerm, term=term, course_id=course_key, weight=weights[term])


def _add_section(
    rows: RowBuffer, course: CourseOutline, context: CourseContext, section_index: int, rng: Random
) -> list[DemoLecture]:
    section = course.sections[section_index]
    section_key = rows.next_key(Section)
    lectures = [_new_lecture(rows, section_key, outline, rng) for outline in section.lectures]
    rows.add(
        Section,
        id=section_key,
        created_at=context.created_at,
        updated_at=context.created_at,
        course_id=context.key,
        title=section.title,
        description=section.description,
        order_index=section_index,
        total_duration=sum(lecture.duration for lecture in lectures),
        total_lectures=len(lectures),
    )
    for lecture_index, (outline, lecture) in enumerate(zip(section.lectures, lectures, strict=True)):
        position = LecturePosition(section_index, lecture_index)
        _add_lecture(rows, course, context, position, outline, lecture, rng)
        if lecture.kind is LectureType.QUIZ and section.quiz is not None:
            quiz = _add_quiz(rows, course, context, section.quiz, lecture.key, outline.title, rng)
            lectures[lecture_index] = lecture._replace(quiz=quiz)
    return lectures


def _new_lecture(rows: RowBuffer, section_key: int, outline: LectureOutline, rng: Random) -> DemoLecture:
    duration = rng.randint(*DURATION_SECONDS[outline.kind])
    return DemoLecture(rows.next_key(Lecture), section_key, outline.kind, duration, outline.title)


def _add_lecture(
    rows: RowBuffer,
    course: CourseOutline,
    context: CourseContext,
    position: LecturePosition,
    outline: LectureOutline,
    lecture: DemoLecture,
    rng: Random,
) -> None:
    section = course.sections[position.section]
    # The last section of a draft has no videos yet, because authors usually record it last.
    has_no_video = course.status is CourseStatus.DRAFT and section is course.sections[-1]
    is_video, is_file = lecture.kind is LectureType.VIDEO, lecture.kind is LectureType.RESOURCE
    is_at_start = position.section == 0 and position.lecture < 2
    rows.add(
        Lecture,
        id=lecture.key,
        created_at=context.created_at,
        updated_at=context.created_at,
        section_id=lecture.section_key,
        course_id=context.key,
        title=outline.title,
        lecture_type=lecture.kind,
        order_index=position.lecture,
        duration=lecture.duration,
        video_url=media.VIDEO if is_video and not has_no_video else None,
        content_url=media.HANDOUT if is_file else None,
        body=lecture_body(outline, section.title, course.language, rng),
        is_preview=is_at_start and lecture.kind in PREVIEW_TYPES,
        is_downloadable=is_file,
    )


def _add_quiz(
    rows: RowBuffer,
    course: CourseOutline,
    context: CourseContext,
    quiz: QuizOutline,
    lecture_key: int | None,
    title: str,
    rng: Random,
) -> DemoQuiz:
    is_published = course.status is not CourseStatus.DRAFT
    return add_quiz(rows, quiz, QuizContext(context.key, lecture_key, title, is_published, context.created_at), rng)
