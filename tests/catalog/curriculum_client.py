"""A client for the mutations of the curriculum, with reads of the course after them."""

from typing import Any, ClassVar

from lms_graphql.catalog import counters
from lms_graphql.core.database import Database
from tests.mutation_client import MutationClient

COURSE = """
course {
  id version lectureCount durationSeconds sectionCount
  sections { id version title position lectureCount durationSeconds lectures { id version title position } }
}"""
SECTION = f"section {{ id title description position lectureCount durationSeconds {COURSE} }}"
LECTURE = f"""
lecture {{
  id title description type position durationSeconds isPreview isDownloadable
  content {{ videoUrl body resourceUrl }} section {{ id }} {COURSE}
}}"""
NODE = f"query N($id: ID!) {{ node(id: $id) {{ id ... on Course {{ {COURSE.strip()[8:-1]} }} }} }}"


class CurriculumClient(MutationClient):
    """The mutations of sections and lectures as one actor."""

    documents: ClassVar[dict[str, tuple[str, str]]] = {
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

    def node(self, id: str) -> Any:
        """Return the node as the actor sees it, null if it is not visible. A course comes with its curriculum."""
        return self._client.execute(NODE, as_=self.actor, id=id)["node"]

    def titles_by_section(self, course_id: str) -> dict[str, list[str]]:
        """Return the lecture titles of each section title, in order. Asserts that positions count from 0."""
        sections = self.node(course_id)["sections"]
        for rows in (sections, *(section["lectures"] for section in sections)):
            assert [row["position"] for row in rows] == list(range(len(rows)))
        return {section["title"]: [row["title"] for row in section["lectures"]] for section in sections}


def counter_drift(database: Database) -> list[str]:
    """Return the drift of derived columns that `db check` reports."""
    return database.read_sync(counters.find_counter_drift)
