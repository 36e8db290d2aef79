"""Courses as their instructors write them: each mutation of the curriculum, and what has become of the course."""

from typing import Any

from lms_graphql.catalog import figures
from lms_graphql.core.actor import Actor
from lms_graphql.core.database import Database
from tests.service import Client

COURSE = """
course {
  id version lectureCount durationSeconds sectionCount
  sections { id title position lectureCount durationSeconds lectures { id title position } }
}"""
SECTION = f"section {{ id title description position lectureCount durationSeconds {COURSE} }}"
LECTURE = f"""
lecture {{
  id title description type position durationSeconds isPreview isDownloadable
  content {{ videoUrl body resourceUrl }} section {{ id }} {COURSE}
}}"""
ANSWERS = {
    "updateCourse": ("UpdateCourseInput", COURSE),
    "createSection": ("CreateSectionInput", SECTION),
    "updateSection": ("UpdateSectionInput", SECTION),
    "deleteSection": ("SectionIdInput", "deletedId"),
    "reorderSections": ("ReorderSectionsInput", COURSE),
    "createLecture": ("CreateLectureInput", LECTURE),
    "updateLecture": ("UpdateLectureInput", LECTURE),
    "deleteLecture": ("LectureIdInput", "deletedId"),
    "moveLecture": ("MoveLectureInput", LECTURE),
    "reorderLectures": ("ReorderLecturesInput", SECTION),
}
NODE = f"query N($id: ID!) {{ node(id: $id) {{ id ... on Course {{ {COURSE.strip()[8:-1]} }} }} }}"


def document(mutation: str) -> str:
    kind, answer = ANSWERS[mutation]
    return (
        f"mutation M($input: {kind}!) {{ {mutation}(input: $input) {{ {answer} errors {{ code message path }} }} }}"
    )


class Author:
    """Somebody who writes, or tries to."""

    def __init__(self, client: Client, actor: Actor) -> None:
        self._client = client
        self.actor = actor

    def tries(self, mutation: str, **input: Any) -> Any:
        """The payload."""
        return self._client.ask(document(mutation), as_=self.actor, input=input)[mutation]

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
        return self._client.answer(document(mutation), as_=self.actor, input=input)

    def sees(self, id: str) -> Any:
        return self._client.ask(NODE, as_=self.actor, id=id)["node"]

    def titles(self, course_id: str) -> dict[str, list[str]]:
        """The lectures' titles by their sections', all in their order. Their positions are 0, 1, 2 …"""
        sections = self.sees(course_id)["sections"]
        for rows in (sections, *(section["lectures"] for section in sections)):
            assert [row["position"] for row in rows] == list(range(len(rows)))
        return {section["title"]: [row["title"] for row in section["lectures"]] for section in sections}


def drift(database: Database) -> list[str]:
    """What `db check` finds wrong with the derived figures."""
    return database.read_now(figures.drift)
