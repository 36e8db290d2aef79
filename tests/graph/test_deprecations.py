"""Deprecations: each way to declare a field passes the reason on to the schema."""

import strawberry

from lms_graphql.graph.schema.fields import field, object_type, resolver_field
from lms_graphql.graph.schema.mutations import mutation
from lms_graphql.graph.schema.type_extensions import extend_type, extension_fields

REASON = "Use other. Removed after 2027-06-30."


@object_type
class Course:
    """A course."""

    title: str = field("Title.", deprecation_reason=REASON)

    @resolver_field(description="Subtitle.", deprecation_reason=REASON)
    def subtitle(self) -> str:
        return ""


@strawberry.type
class Mutation:
    @mutation(deprecation_reason=REASON)
    def publish(self) -> bool:
        """Publish."""
        return True


def test_deprecation_reasons_are_in_the_schema() -> None:
    @extend_type(Course, deprecation_reason=REASON)
    def rating(course: Course) -> int:
        """Return the rating."""
        return 0

    schema = strawberry.Schema(query=Course, mutation=Mutation)
    printed = [line.strip() for line in schema.as_str().splitlines() if "@deprecated" in line]
    suffix = f'@deprecated(reason: "{REASON}")'
    assert printed == [f"title: String! {suffix}", f"subtitle: String! {suffix}", f"publish: Boolean! {suffix}"]
    assert [extension.deprecation_reason for extension in extension_fields(Course)] == [REASON]
