"""What is written of categories and courses, as their mutations answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lms_graphql.core.actor import Actor
from tests.racing import Ask, Racers, racers
from tests.service import ACTOR_HEADER, Client, Service

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


def document(mutation: str) -> str:
    kind, answer = ANSWERS[mutation]
    return (
        f"mutation M($input: {kind}!) {{ {mutation}(input: $input) {{ {answer} errors {{ code message path }} }} }}"
    )


class Writer:
    """Somebody who writes, or tries to."""

    def __init__(self, client: Client, actor: Actor | None) -> None:
        self._client = client
        self.actor = actor

    def does(self, mutation: str, **input: Any) -> Any:
        """What was made or changed, or the id that is no more."""
        payload = self._client.ask(document(mutation), as_=self.actor, input=input)[mutation]
        assert payload.pop("errors") == []
        (done,) = payload.values()
        assert done is not None
        return done

    def refused(self, mutation: str, **input: Any) -> list[tuple[str, str]]:
        """Code and input field of each fault."""
        payload = self._client.ask(document(mutation), as_=self.actor, input=input)[mutation]
        errors = payload.pop("errors")
        assert list(payload.values()) == [None]
        assert all(error["path"][0] == "input" and len(error["path"]) == 2 for error in errors)
        return [(error["code"], error["path"][1]) for error in errors]

    def faults(self, mutation: str, **input: Any) -> list[str]:
        """The codes of top-level errors; nothing else came."""
        body = self._client.answer(document(mutation), as_=self.actor, input=input)
        assert body.get("data") in (None, {mutation: None})
        return [error["extensions"]["code"] for error in body["errors"]]

    def asks(self, mutation: str, **input: Any) -> Ask:
        """For a race."""
        assert self.actor is not None
        headers = {ACTOR_HEADER: f"{self.actor.id}:{self.actor.role}"}
        return Ask(document(mutation), {"input": input}, headers=headers)


@contextmanager
def racing(service: Service, number: int = 2) -> Iterator[Racers]:
    with racers([service.url], number) as running:
        yield running


def rounds(service: Service, number: int = 100) -> range:
    """Fewer on SQLite, where writers stand in one line anyway."""
    return range(20 if service.database.is_sqlite else number)
