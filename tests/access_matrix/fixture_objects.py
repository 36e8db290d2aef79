"""Viewers, and the fixture objects: who belongs to which group of each, and the markers in its texts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Lecture
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from lms_graphql.core.global_ids import encode
from lms_graphql.core.orm import TimestampedModel
from tests.access_matrix.matrix import Audience
from tests.factories import CourseTree, Factories

ROLE_BY_VIEWER = {
    "admin": Role.SUPER_ADMIN,
    "instructor": Role.INSTRUCTOR,
    "colleague": Role.INSTRUCTOR,
    "learner": Role.LEARNER,
    "enrolled": Role.LEARNER,
    "cancelled": Role.LEARNER,
    "applicant": Role.LEARNER,
}
"""Viewers and their roles. There is also an anonymous viewer.

The instructor teaches all courses except two. The colleague teaches one draft. The learner takes part in nothing.
"""
PUBLIC_USERS = frozenset({"instructor", "enrolled"})
"""Users whom anonymous viewers see: the instructor of a published course, and an author of a public question."""
SIGNED_IN = frozenset(ROLE_BY_VIEWER)
EVERYONE = SIGNED_IN | {"anonymous"}
VIEWERS = sorted(EVERYONE)
ADMIN = frozenset({"admin"})
TEACHERS = ADMIN | {"instructor", "colleague"}
PAST = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class FixtureObject:
    """An object of the schema in a certain state."""

    kind: str
    label: str
    groups: Mapping[str, frozenset[str]]
    """Viewers of each group of the matrix. Those in `visible_to` may see the object."""
    markers: Mapping[str, str] = field(default_factory=dict)
    """Marker texts by `Type.field`."""
    empty: frozenset[str] = frozenset()
    """Fields that are null or empty for all viewers."""
    global_id: str = ""

    @property
    def visible_to(self) -> frozenset[str]:
        return self.groups["visible_to"]

    def readers(self, audience: Audience) -> frozenset[str]:
        assert audience.group in self.groups, f"{self.label} has no group {audience.group}"
        return self.groups[audience.group]


class FixtureObjects:
    """All fixture objects, with the rows that others refer to."""

    def __init__(self, make: Factories) -> None:
        self.make = make
        self.by_label: dict[str, FixtureObject] = {}
        self.by_global_id: dict[str, FixtureObject] = {}
        self.users: dict[str, User] = {}
        self._owners: dict[str, tuple[FixtureObject, str]] = {}
        self.courses: dict[str, CourseTree] = {}
        self.lectures: dict[str, Lecture] = {}
        root_groups = {"visible_to": EVERYONE, "signed_in": SIGNED_IN, "admins": ADMIN, "teachers": TEACHERS}
        self._add(FixtureObject("Query", "root fields", root_groups))
        self._add(FixtureObject("Session", "session", {"visible_to": SIGNED_IN, "signed_in": SIGNED_IN}))

    def add(
        self, kind: str, label: str, row: TimestampedModel, texts: Mapping[str, str], empty: str = "", **groups: Any
    ) -> None:
        """Add a row with its markers by `Type.field`, its empty fields and its groups."""
        self.add_with_id(kind, label, encode(kind, row.id), texts, empty, **groups)

    def add_with_id(
        self, kind: str, label: str, id: str, texts: Mapping[str, str], empty: str = "", **groups: Any
    ) -> None:
        """Add an object that has no row of its own, or an id that does not follow from the key of its row."""
        self._add(FixtureObject(kind, label, groups, dict(texts), frozenset(empty.split()), id))

    def _add(self, fixture: FixtureObject) -> None:
        assert fixture.label not in self.by_label
        self.by_label[fixture.label] = fixture
        if fixture.global_id:
            self.by_global_id[fixture.global_id] = fixture
        for coordinate, marker in fixture.markers.items():
            self._owners[marker.split("@")[0]] = fixture, coordinate

    def actor(self, viewer: str) -> Actor:
        return ANONYMOUS if viewer == "anonymous" else self.make.actor(self.users[viewer])

    def of_kind(self, kind: str) -> list[FixtureObject]:
        return [fixture for fixture in self.by_label.values() if fixture.kind == kind]

    def owner_of(self, marker: str) -> tuple[FixtureObject | None, str]:
        """Return the object and the `Type.field` of a marker. There is no object if it was deleted."""
        return self._owners.get(marker, (None, ""))

    def global_id(self, label: str) -> str:
        return self.by_label[label].global_id


class MarkerTexts(dict[str, str]):
    """Markers of one object by `Type.field`, and in `columns` by the columns of its row."""

    def __init__(self, label: str, **fields: str) -> None:
        super().__init__({name: f"marker-{label}-{name.split('.')[1].lower()}" for name in fields.values()})
        self.columns: dict[str, Any] = {column: self[name] for column, name in fields.items()}
