"""What is written of categories and courses, as their mutations answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from lms_graphql.core.actor import Actor
from tests.concurrency import Ask, Racers, racers
from tests.live_service import ACTOR_HEADER, Client, Service

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


class Writer:
    """Somebody who writes, or tries to."""

    answers: ClassVar[dict[str, tuple[str, str]]] = ANSWERS
    """What each mutation takes and what is asked of it."""

    def __init__(self, client: Client, actor: Actor) -> None:
        self._client = client
        self.actor = actor

    @classmethod
    def document(cls, mutation: str) -> str:
        kind, answer = cls.answers[mutation]
        asked = f"{answer} errors {{ code message path }}"
        return f"mutation M($input: {kind}!) {{ {mutation}(input: $input) {{ {asked} }} }}"

    def tries(self, mutation: str, **input: Any) -> Any:
        """The payload."""
        return self._client.ask(self.document(mutation), as_=self.actor, input=input)[mutation]

    def does(self, mutation: str, **input: Any) -> Any:
        """What was made or changed, or the id that is no more."""
        payload = self.tries(mutation, **input)
        assert payload.pop("errors") == []
        (done,) = payload.values()
        assert done is not None
        return done

    def refused(self, mutation: str, **input: Any) -> list[tuple[str, str]]:
        """Code and input field of each fault."""
        payload = self.tries(mutation, **input)
        errors = payload.pop("errors")
        assert list(payload.values()) == [None]
        assert all(error["path"][0] == "input" and len(error["path"]) == 2 for error in errors)
        return [(error["code"], error["path"][1]) for error in errors]

    def answer(self, mutation: str, **input: Any) -> Any:
        """All that comes back, top-level errors too."""
        return self._client.answer(self.document(mutation), as_=self.actor, input=input)

    def faults(self, mutation: str, **input: Any) -> list[str]:
        """The codes of top-level errors; nothing else came."""
        body = self.answer(mutation, **input)
        assert body.get("data") in (None, {mutation: None})
        return [error["extensions"]["code"] for error in body["errors"]]

    def asks(self, mutation: str, **input: Any) -> Ask:
        """For a race."""
        headers = {ACTOR_HEADER: f"{self.actor.key}:{self.actor.role}"}
        return Ask(self.document(mutation), {"input": input}, headers=headers)


@contextmanager
def racing(service: Service, number: int = 2) -> Iterator[Racers]:
    with racers([service.url], number) as running:
        yield running


def rounds(service: Service, number: int = 100) -> range:
    """Fewer on SQLite, where writers stand in one line anyway."""
    return range(20 if service.database.is_sqlite else number)
