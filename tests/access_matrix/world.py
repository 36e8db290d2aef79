"""The cast, and what is known of all that is planted: whose it is, who sees it, and the canaries in its texts."""

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

CAST = {
    "admin": Role.SUPER_ADMIN,
    "teacher": Role.INSTRUCTOR,
    "rival": Role.INSTRUCTOR,
    "learner": Role.LEARNER,
    "enrolled": Role.LEARNER,
    "cancelled": Role.LEARNER,
    "applicant": Role.LEARNER,
}
"""
Who asks, beside anonymous viewers. The teacher writes the courses but two, the rival teaches nothing that anyone has
seen, the learner has nothing to do with anybody.
"""
KNOWN = frozenset({"teacher", "enrolled"})
"""To anonymous viewers as well: who teaches, and who has written below a preview."""
SIGNED_IN = frozenset(CAST)
EVERYONE = SIGNED_IN | {"anonymous"}
VIEWERS = sorted(EVERYONE)
ADMIN = frozenset({"admin"})
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Planted:
    """
    An object: who belongs to which of its circles (`seen`: all who see it at all), its canaries by `Type.field`, and
    the fields that hold nothing in this one.
    """

    kind: str
    label: str
    circles: Mapping[str, frozenset[str]]
    canaries: Mapping[str, str] = field(default_factory=dict)
    empty: frozenset[str] = frozenset()
    global_id: str = ""

    @property
    def seen(self) -> frozenset[str]:
        return self.circles["seen"]

    def readers(self, audience: Audience) -> frozenset[str]:
        assert audience.circle in self.circles, f"{self.label}: say who belongs to {audience.circle}"
        return self.circles[audience.circle]


class World:
    def __init__(self, make: Factories) -> None:
        self.make = make
        self.by_label: dict[str, Planted] = {}
        self.by_global_id: dict[str, Planted] = {}
        self.people: dict[str, User] = {}
        self._owners: dict[str, tuple[Planted, str]] = {}
        self.courses: dict[str, CourseTree] = {}
        self.lectures: dict[str, Lecture] = {}
        self._put(Planted("Query", "the entrances", {"seen": EVERYONE, "signed_in": SIGNED_IN, "admins": ADMIN}))
        self._put(Planted("Session", "a session", {"seen": SIGNED_IN, "signed_in": SIGNED_IN}))

    def plant(self, kind: str, label: str, row: TimestampedModel, texts: Mapping[str, str], **said: Any) -> None:
        """`texts`: the canaries by `Type.field`. `said`: the circles, and what is `empty`."""
        empty = frozenset(said.pop("empty", "").split())
        self._put(Planted(kind, label, said, dict(texts), empty, encode(kind, row.id)))

    def _put(self, planted: Planted) -> None:
        assert planted.label not in self.by_label
        self.by_label[planted.label] = planted
        if planted.global_id:
            self.by_global_id[planted.global_id] = planted
        for coordinate, canary in planted.canaries.items():
            self._owners[canary.split("@")[0]] = planted, coordinate

    def actor(self, viewer: str) -> Actor:
        return ANONYMOUS if viewer == "anonymous" else self.make.actor(self.people[viewer])

    def of_kind(self, kind: str) -> list[Planted]:
        return [planted for planted in self.by_label.values() if planted.kind == kind]

    def owner_of(self, canary: str) -> tuple[Planted | None, str]:
        """Whose it is, and of which `Type.field`. None where nobody has it any more."""
        return self._owners.get(canary, (None, ""))

    def global_id(self, label: str) -> str:
        return self.by_label[label].global_id


class Texts(dict[str, str]):
    """Canaries of one object by `Type.field`; `columns` puts them into the columns of its row."""

    def __init__(self, label: str, **fields: str) -> None:
        super().__init__({name: f"canary-{label}-{name.split('.')[1].lower()}" for name in fields.values()})
        self.columns: dict[str, Any] = {column: self[name] for column, name in fields.items()}
