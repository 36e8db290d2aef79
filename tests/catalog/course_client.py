"""What is written of categories and courses, as their mutations answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from tests.concurrency import Racers, racers
from tests.live_service import Service
from tests.mutation_client import MutationClient

CATEGORY = "category { id slug name description parent { id } children { id } }"
COURSE = """
course {
  id slug title shortDescription description language difficulty status price { amount currency } isFree isFeatured
  allowQa allowNotes thumbnailUrl previewVideoUrl instructor { id } category { id } publishedAt updatedAt version
  publishProblems { code }
}"""
ANSWERS = {
    "createCategory": ("CreateCategoryInput", CATEGORY),
    "updateCategory": ("UpdateCategoryInput", CATEGORY),
    "deleteCategory": ("CategoryIdInput", "deletedId"),
    "createCourse": ("CreateCourseInput", COURSE),
    "updateCourse": ("UpdateCourseInput", COURSE),
    "publishCourse": ("CourseIdInput", COURSE),
    "unpublishCourse": ("CourseIdInput", COURSE),
    "archiveCourse": ("CourseIdInput", COURSE),
    "deleteCourse": ("CourseIdInput", "deletedId"),
}
OF_ONE_COURSE = ["updateCourse", "publishCourse", "unpublishCourse", "archiveCourse", "deleteCourse"]
NO_IDS = ["", "nonsense", "Q291cnNlOjk5OTk5OTk", "Q2F0ZWdvcnk6OTk5OTk5OQ", "VXNlcjox"]
"""Malformed, of nothing, of another kind."""


class CourseClient(MutationClient):
    """One actor's mutations of categories and courses."""

    documents: ClassVar[dict[str, tuple[str, str]]] = ANSWERS


@contextmanager
def racing(service: Service, number: int = 2) -> Iterator[Racers]:
    with racers([service.url], number) as running:
        yield running


def rounds(service: Service, number: int = 100) -> range:
    """Fewer on SQLite, where writers stand in one line anyway."""
    return range(20 if service.database.is_sqlite else number)
