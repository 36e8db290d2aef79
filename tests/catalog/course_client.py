"""A client for the mutations of categories and courses."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from tests.concurrency import RaceClients, race_clients
from tests.live_service import Service
from tests.mutation_client import MutationClient

CATEGORY = "category { id slug name description parent { id } children { id } }"
COURSE = """
course {
  id slug title shortDescription description language difficulty status price { amount currency } isFree isFeatured
  allowQa allowNotes thumbnailUrl previewVideoUrl instructor { id } category { id } publishedAt updatedAt version
  publishProblems { code }
}"""
COURSE_MUTATIONS = ["updateCourse", "publishCourse", "unpublishCourse", "archiveCourse", "deleteCourse"]
"""The mutations of an existing course."""
UNKNOWN_ID = "Q291cnNlOjk5OTk5OTk"
"""The well-formed id of a course that does not exist."""
INVALID_IDS = ["", "nonsense", UNKNOWN_ID, "Q2F0ZWdvcnk6OTk5OTk5OQ", "VXNlcjox"]
"""Malformed ids, ids of missing rows, and an id of another kind."""


class CourseClient(MutationClient):
    """The mutations of categories and courses as one actor."""

    documents: ClassVar[dict[str, tuple[str, str]]] = {
        "createCategory": ("CreateCategoryInput", CATEGORY),
        "updateCategory": ("UpdateCategoryInput", CATEGORY),
        "deleteCategory": ("CategoryIdInput", "deletedId"),
        "createCourse": ("CreateCourseInput", COURSE),
        "updateCourse": ("UpdateCourseInput", COURSE),
        "publishCourse": ("CourseIdInput", COURSE),
        "unpublishCourse": ("CourseIdInput", COURSE),
        "archiveCourse": ("CourseIdInput", COURSE),
        "transferCourse": ("TransferCourseInput", COURSE),
        "deleteCourse": ("CourseIdInput", "deletedId"),
    }


@contextmanager
def service_racers(service: Service, number: int = 2) -> Iterator[RaceClients]:
    """Yield so many clients of the service that send requests at the same time."""
    with race_clients([service.url], number) as running:
        yield running


def rounds_for_database(service: Service, number: int = 60) -> range:
    """Return the rounds of a race: fewer on SQLite, where one lock serializes all writers anyway."""
    return range(20 if service.database.is_sqlite else number)
