"""Courses as their instructors write them: each mutation of the curriculum, and what has become of the course."""

from typing import Any, ClassVar

from lms_graphql.catalog import counters
from lms_graphql.core.database import Database
from tests.mutation_client import MutationClient

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


class CurriculumClient(MutationClient):
    """One actor's mutations of sections and lectures."""

    documents: ClassVar[dict[str, tuple[str, str]]] = ANSWERS

    def sees(self, id: str) -> Any:
        return self._client.execute(NODE, as_=self.actor, id=id)["node"]

    def titles(self, course_id: str) -> dict[str, list[str]]:
        """The lectures' titles by their sections', all in their order. Their positions are 0, 1, 2 …"""
        sections = self.sees(course_id)["sections"]
        for rows in (sections, *(section["lectures"] for section in sections)):
            assert [row["position"] for row in rows] == list(range(len(rows)))
        return {section["title"]: [row["title"] for row in section["lectures"]] for section in sections}


def drift(database: Database) -> list[str]:
    """What `db check` finds wrong with the derived figures."""
    return database.read_sync(counters.find_counter_drift)
