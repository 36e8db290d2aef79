"""GraphQL type of sections, and the list of sections on courses."""

from datetime import datetime

import strawberry

from lms_graphql.catalog.policies import curriculum_version
from lms_graphql.catalog.reads import courses, curriculum
from lms_graphql.catalog.types.course import Course
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, object_type
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.type_extensions import extend_type
from lms_graphql.graph.schema.versioned_trees import TREE, VersionedTree


@object_type
class Section(Node):
    """A part of a course: lectures in a fixed order."""

    title: str = field("Title.")
    description: str | None = field("Description; null if not set.")
    position: int = field("Position within the course, from 0.")
    lecture_count: int = field("Number of lectures.")
    duration_seconds: int = field("Duration of all lectures, in seconds.")
    updated_at: datetime = field("When the section or the order of its lectures was last changed.")
    version: int = field(
        "Version of the section, which grows with every change of its fields and of the order of its lectures. "
        "Pass it as `expectedVersion` to detect changes by others."
    )
    course_key: strawberry.Private[int]

    @strawberry.field
    def course(self, info: Info) -> Course:
        """Course of the section."""
        return info.context.load(courses.courses_by_key, self.course_key)


CURRICULUM_TREE = VersionedTree(curriculum_version, curriculum.curriculum_versions)
"""Sections and lectures, by the version of their course."""


@extend_type(Course, metadata={TREE: CURRICULUM_TREE})
def sections(course: strawberry.Parent[Course], info: Info) -> list[Section]:
    """Sections of the course, by position, at most 100. Only course staff get empty sections."""
    return info.context.load_list(curriculum.sections_by_course, course.key)
