"""Outlines become rows: a course with its sections and lectures, its totals and its search terms."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import NamedTuple

from lms_graphql.catalog.models import Course, CourseStatus, CourseTerm, Lecture, LectureType, Section
from lms_graphql.catalog.search_index import term_weights
from lms_graphql.core.money import to_units
from lms_graphql.core.text import sort_key
from lms_graphql.demo.lecture_bodies import body_of
from lms_graphql.demo.outlines import CourseOutline, LectureOutline
from lms_graphql.demo.quizzes import QuizPlace, add_quiz
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.timeline import REVIEW

VIDEOS = "https://videos.learnwithroko.com"
FILES = "https://files.learnwithroko.com"
IMAGES = "https://images.learnwithroko.com"

SECONDS = {
    LectureType.VIDEO: (180, 1500),
    LectureType.TEXT: (120, 600),
    LectureType.QUIZ: (180, 600),
    LectureType.ASSIGNMENT: (900, 3600),
    LectureType.RESOURCE: (60, 180),
}
PREVIEWS = (LectureType.VIDEO, LectureType.TEXT)


class PlacedLecture(NamedTuple):
    id: int
    section_id: int
    kind: LectureType
    duration: int
    title: str


class PlacedCourse(NamedTuple):
    """What enrolling needs to know of a course. Drafts have no `published_at`."""

    id: int
    instructor_id: int
    language: str
    is_free: bool
    published_at: datetime | None
    lectures: Sequence[PlacedLecture]


class LecturePosition(NamedTuple):
    """Where a lecture stands in its course, and the path of its files."""

    section: int
    lecture: int
    path: str


@dataclass(frozen=True, slots=True)
class CourseContext:
    """Where a course goes in the database."""

    id: int
    slug: str
    instructor_id: int
    category_id: int
    made_at: datetime


def add_course(rows: RowBuffer, outline: CourseOutline, place: CourseContext, rng: Random) -> PlacedCourse:
    lectures = [
        lecture
        for position in range(len(outline.sections))
        for lecture in _place_section(rows, outline, place, position, rng)
    ]
    is_draft = outline.status is CourseStatus.DRAFT
    published_at = None if is_draft else place.made_at + REVIEW
    rows.add(
        Course,
        id=place.id,
        created_at=place.made_at,
        updated_at=published_at or place.made_at,
        title=outline.title,
        title_key=sort_key(outline.title),
        slug=place.slug,
        description=outline.description,
        short_description=outline.short_description,
        instructor_id=place.instructor_id,
        category_id=place.category_id,
        price=to_units(outline.price, outline.currency),
        currency=outline.currency,
        status=outline.status,
        difficulty_level=outline.difficulty,
        thumbnail_url=f"{IMAGES}/{place.slug}.jpg",
        preview_video_url=None if is_draft else f"{VIDEOS}/{place.slug}/trailer.mp4",
        total_duration=sum(lecture.duration for lecture in lectures),
        total_lectures=len(lectures),
        enrollment_count=0,
        language=outline.language,
        is_featured=outline.is_featured,
        published_at=published_at,
        version=1,
    )
    _place_terms(rows, outline, place.id)
    is_free = outline.price == 0
    return PlacedCourse(place.id, place.instructor_id, outline.language, is_free, published_at, tuple(lectures))


def _place_terms(rows: RowBuffer, outline: CourseOutline, course_id: int) -> None:
    found = term_weights(outline.title, outline.short_description, outline.description)
    for term in sorted(found):
        rows.add(CourseTerm, term=term, course_id=course_id, weight=found[term])


def _place_section(
    rows: RowBuffer, course: CourseOutline, place: CourseContext, position: int, rng: Random
) -> list[PlacedLecture]:
    section = course.sections[position]
    key = rows.key(Section)
    lectures = [
        PlacedLecture(rows.key(Lecture), key, lecture.kind, rng.randint(*SECONDS[lecture.kind]), lecture.title)
        for lecture in section.lectures
    ]
    rows.add(
        Section,
        id=key,
        created_at=place.made_at,
        updated_at=place.made_at,
        course_id=place.id,
        title=section.title,
        description=section.description,
        order_index=position,
        total_duration=sum(lecture.duration for lecture in lectures),
        total_lectures=len(lectures),
    )
    for order, (outline, lecture) in enumerate(zip(section.lectures, lectures, strict=True)):
        spot = LecturePosition(position, order, f"{place.slug}/{position + 1:02}-{order + 1:02}")
        _place_lecture(rows, course, place, spot, outline, lecture, rng)
        if lecture.kind is LectureType.QUIZ and section.quiz is not None:
            is_open = course.status is not CourseStatus.DRAFT
            quiz_place = QuizPlace(place.id, lecture.id, outline.title, is_open, place.made_at)
            add_quiz(rows, section.quiz, quiz_place, rng)
    return lectures


def _place_lecture(
    rows: RowBuffer,
    course: CourseOutline,
    place: CourseContext,
    spot: LecturePosition,
    outline: LectureOutline,
    lecture: PlacedLecture,
    rng: Random,
) -> None:
    section = course.sections[spot.section]
    # An author records the last section last: the videos of a draft's are still to come.
    is_missing = course.status is CourseStatus.DRAFT and section is course.sections[-1]
    is_video, is_file = lecture.kind is LectureType.VIDEO, lecture.kind is LectureType.RESOURCE
    is_early = spot.section == 0 and spot.lecture < 2
    rows.add(
        Lecture,
        id=lecture.id,
        created_at=place.made_at,
        updated_at=place.made_at,
        section_id=lecture.section_id,
        course_id=place.id,
        title=outline.title,
        lecture_type=lecture.kind,
        order_index=spot.lecture,
        duration=lecture.duration,
        video_url=f"{VIDEOS}/{spot.path}.mp4" if is_video and not is_missing else None,
        content_url=f"{FILES}/{spot.path}.pdf" if is_file else None,
        body=body_of(outline, section.title, course.language, rng),
        is_preview=is_early and lecture.kind in PREVIEWS,
        is_downloadable=is_file,
    )
