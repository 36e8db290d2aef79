"""Rows of the benchmark, the same in each run: 51 published courses with 10 sections of 10 lectures each."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import create_engine, insert
from sqlalchemy.orm import Session

from benchmarks.mariadb import BenchmarkDatabase
from benchmarks.processes import ROOT, BenchmarkError
from benchmarks.workloads import TREE_SLUG
from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Category, Course, CourseStatus, DifficultyLevel, Lecture, LectureType, Section
from lms_graphql.core.actor import Role
from lms_graphql.core.text import sort_key

Row = dict[str, Any]

COURSES = 51
"""The first and oldest course is that of the tree workload. A list of the 50 newest has all the others."""
SECTIONS = 10
LECTURES = 10
START = datetime(2026, 1, 5, 9, 30, 0, 123_456, tzinfo=UTC)

INSTRUCTORS = (("Ada", "Okafor"), ("Bruno", "Álvarez"), ("Chiyo", "Tanaka"), ("Dana", "Lévy"), ("Emil", "Sørensen"))
SUBJECTS = ("Programming", "Design", "Data", "Business", "Languages", "Music", "Photography", "Health")
LEVELS = tuple(DifficultyLevel)
TYPES = (LectureType.VIDEO, LectureType.TEXT, LectureType.VIDEO, LectureType.RESOURCE, LectureType.VIDEO)


def fill(database: BenchmarkDatabase) -> None:
    """Create the tables by the service's migrations, and insert the rows."""
    _migrate(database)
    engine = create_engine(database.url)
    with Session(engine) as session, session.begin():
        for model, rows in (
            (User, _instructors()),
            (Category, _categories()),
            (Course, _courses()),
            (Section, _sections()),
            (Lecture, _lectures()),
        ):
            session.execute(insert(model), list(_with_timestamps(rows)))
    with engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE TABLE users, course_categories, courses, sections, lectures")
    engine.dispose()


def _migrate(database: BenchmarkDatabase) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=ROOT,
        env={**os.environ, "LMS_DATABASE_URL": database.url},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise BenchmarkError(f"The migrations failed:\n{result.stderr}")


def _with_timestamps(rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        yield {"created_at": START, "updated_at": START, **row}


def _instructors() -> Iterator[Row]:
    for key, (first, last) in enumerate(INSTRUCTORS, 1):
        name = f"{first.lower()}{key}"
        yield {
            "id": key,
            "email": f"{name}@example.org",
            "email_key": f"{name}@example.org",
            "username": name,
            "username_key": name,
            "first_name": first,
            "last_name": last,
            "role": Role.INSTRUCTOR,
            "bio": f"{first} has taught for {key + 3} years and still likes questions best.",
        }


def _categories() -> Iterator[Row]:
    for key, name in enumerate(SUBJECTS, 1):
        yield {
            "id": key,
            "name": name,
            "name_key": sort_key(name),
            "slug": name.lower(),
            "description": f"All about {name.lower()}.",
        }


def _courses() -> Iterator[Row]:
    lectures = list(_lectures())
    for key in range(1, COURSES + 1):
        subject = SUBJECTS[key % len(SUBJECTS)]
        title = f"{subject} from the ground up – volume {key}"
        published_at = START + timedelta(hours=7 * key, microseconds=key)
        yield {
            "id": key,
            "title": title,
            "title_key": sort_key(title),
            "slug": TREE_SLUG if key == 1 else f"{subject.lower()}-{key}",
            "description": f"# {title}\n\n" + f"What {subject.lower()} is for, and how to begin with it. " * 10,
            "short_description": f"Learn {subject.lower()} in {SECTIONS} steps, each with something to try.",
            "instructor_id": key % len(INSTRUCTORS) + 1,
            "category_id": key % len(SUBJECTS) + 1,
            "price": 1990 if key % 3 else 0,
            "currency": "USD",
            "status": CourseStatus.PUBLISHED,
            "difficulty_level": LEVELS[key % len(LEVELS)],
            "thumbnail_url": f"https://media.example.org/courses/{key}.webp",
            "language": "en" if key % 4 else "de",
            "total_lectures": SECTIONS * LECTURES,
            "total_duration": sum(lecture["duration"] for lecture in lectures if lecture["course_id"] == key),
            "published_at": published_at,
            "created_at": published_at,
            "updated_at": published_at,
        }


def _sections() -> Iterator[Row]:
    lectures = list(_lectures())
    for key in range(1, COURSES * SECTIONS + 1):
        course, position = divmod(key - 1, SECTIONS)
        yield {
            "id": key,
            "course_id": course + 1,
            "title": f"Part {position + 1}: one thing at a time",
            "description": f"After part {position + 1} the exercises of the last one will look easy.",
            "order_index": position,
            "total_lectures": LECTURES,
            "total_duration": sum(lecture["duration"] for lecture in lectures if lecture["section_id"] == key),
        }


def _lectures() -> Iterator[Row]:
    for key in range(1, COURSES * SECTIONS * LECTURES + 1):
        section, position = divmod(key - 1, LECTURES)
        yield {
            "id": key,
            "section_id": section + 1,
            "course_id": section // SECTIONS + 1,
            "title": f"Lecture {position + 1}: what comes after “{position}”",
            "description": f"A look at number {key}, with examples, and something to try at the end.",
            "lecture_type": TYPES[key % len(TYPES)],
            "order_index": position,
            "duration": 60 + key * 37 % 840,
            "video_url": f"https://media.example.org/lectures/{key}.mp4",
            "is_preview": position == 0,
        }
