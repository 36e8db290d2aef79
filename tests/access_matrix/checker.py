"""Answers held against the table: whatever shows more than it allows, or less, is a complaint."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLNamedType, GraphQLObjectType, GraphQLSchema, get_named_type

from tests.access_matrix.arguments import ONESELF
from tests.access_matrix.matrix import LINES
from tests.access_matrix.paths import Piece, is_connection, is_plumbing, is_value
from tests.access_matrix.world import Planted, World

_CANARY = re.compile(r"canary(?:-[a-z0-9]+)+", re.IGNORECASE)
Path = tuple[str | int, ...]


@dataclass
class Verdict:
    """`reached`: (viewer, label, Type.field) of every value that came to somebody."""

    complaints: list[str] = field(default_factory=list)
    reached: set[tuple[str, str, str]] = field(default_factory=set)


def told(several: list[str], most: int = 40) -> str:
    """For a message that people read."""
    return "\n".join(["", *several[:most], f"({len(several)} in all)"])


class Judge:
    """Of one viewer's answers. `makes_new`: they may hold objects that nobody planted."""

    def __init__(
        self, world: World, schema: GraphQLSchema, verdict: Verdict, viewer: str, makes_new: bool = False
    ) -> None:
        self._world = world
        self._schema = schema
        self._verdict = verdict
        self._viewer = viewer
        self._makes_new = makes_new
        self._where = ""
        self._refusals: set[tuple[Path, str]] = set()

    def judge(self, root: str, body: Any, pieces: dict[str, Piece]) -> None:
        """`root`: Query or Mutation. `pieces` by what they are called in the answer."""
        self._refusals = set()
        for name, value in (body.get("data") or {}).items():
            piece = pieces[name]
            self._where = piece.path
            self._field(root, self._world.by_label["the entrances"], name, value, (name,))
            self._canaries(value)
            if piece.finds is not None and not any(path == (name,) for path, _ in self._refusals):
                self._found(value, piece.finds)
        self._where = "in an error"
        self._canaries(body.get("errors", ()))
        said = {(tuple(error.get("path", ())), error["extensions"]["code"]) for error in body.get("errors", ())}
        for path, code in sorted(said ^ self._refusals, key=str):
            self._where = pieces[str(path[0])].path if path else "all of it"
            self._complain(f"{code} at {path} {'was not told' if (path, code) in self._refusals else 'was told'}")

    def _object(self, value: Any, path: Path, owner: Planted | None) -> None:
        """`owner`: the planted object that this is, or that this value hangs on; None for a new one."""
        if isinstance(value, list):
            for place, item in enumerate(value):
                self._object(item, (*path, place), owner)
        elif isinstance(value, dict):
            kind = value["__typename"]
            if "id" in value:
                owner = self._planted(kind, value["id"])
            elif kind == "Session":
                owner = self._world.by_label["a session"]
            if is_connection(self._type(kind)):
                self._whole(value)
            for name, inner in value.items():
                if not name.startswith("__"):
                    self._field(kind, owner, name, inner, (*path, name))

    def _field(self, kind: str, owner: Planted | None, name: str, value: Any, path: Path) -> None:
        if owner is not None and not is_plumbing(self._type(kind)):
            self._hold(f"{kind}.{name.split('__', maxsplit=1)[0]}", owner, value, path)
        self._object(value, path, owner)

    def _hold(self, coordinate: str, owner: Planted, value: Any, path: Path) -> None:
        if (audience := LINES.get(coordinate)) is None:
            self._complain(f"{coordinate} has no line in the table")
            return
        allowed = self._viewer in owner.readers(audience)
        if value is None or (value == [] and not allowed):
            is_empty = owner.kind == "Query" or coordinate.split(".")[1] in owner.empty
            if allowed and not is_empty:
                self._complain(f"{coordinate} of {owner.label} is null")
            if not allowed and (code := audience.code(self._viewer != "anonymous")):
                self._refusals.add((path, code))
        elif not allowed:
            self._complain(f"{coordinate} of {owner.label} is there")
        else:
            self._verdict.reached.add((self._viewer, owner.label, coordinate))
            if value != owner.canaries.get(coordinate, value):
                self._complain(f"{coordinate} of {owner.label} is another's: {value}")

    def _planted(self, kind: str, global_id: str) -> Planted | None:
        planted = self._world.by_global_id.get(global_id)
        if planted is None:
            if not self._makes_new:
                self._complain(f"{kind} {global_id} was not planted")
            return None
        if planted.kind != kind or self._viewer not in planted.seen:
            self._complain(f"{planted.kind} {planted.label} is there, as a {kind}")
        return planted

    def _canaries(self, value: Any) -> None:
        """Wherever they stand: in texts, in errors, inside cursors."""
        for text in _texts(value):
            for canary in _CANARY.findall(text):
                owner, coordinate = self._world.owner_of(canary.lower())
                if owner is None or self._viewer not in owner.readers(LINES[coordinate]):
                    self._complain(f"{canary} is there")

    def _found(self, value: Any, labels: tuple[str, ...]) -> None:
        """Exactly what there is to find for this viewer."""
        if isinstance(value, dict):
            value = value.get("nodes", [value])
        found = {self._label(item["id"]) for item in value or () if item}
        sought = {self._viewer if label == ONESELF else label for label in labels} - {"anonymous"}
        expected = {label for label in sought if self._viewer in self._world.by_label[label].seen}
        if found != expected:
            self._complain(f"finds {sorted(found)}, not {sorted(expected)}")

    def _label(self, global_id: str) -> str:
        return self._world.by_global_id[global_id].label if global_id in self._world.by_global_id else global_id

    def _whole(self, connection: Any) -> None:
        """A count tells of what nobody may see, too; on a page that is cut something might hide."""
        lengths = {connection["totalCount"], len(connection["nodes"]), len(connection["edges"])}
        if len(lengths) > 1 or connection["pageInfo"]["hasNextPage"]:
            self._complain(f"{connection['__typename']} has {lengths} items, on more than one page or unseen")

    def _type(self, name: str) -> GraphQLNamedType:
        return self._schema.type_map[name]

    def _complain(self, what: str) -> None:
        complaint = f"{self._viewer}: {what} — {self._where}"
        if complaint not in self._verdict.complaints:
            self._verdict.complaints.append(complaint)


def _texts(value: Any) -> Iterator[str]:
    """Every string in an answer; one that may be base64 comes opened as well."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner)
            if isinstance(inner, str) and "cursor" in name.lower():
                yield urlsafe_b64decode(inner + "=" * (-len(inner) % 4)).decode()
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def blind_spots(objects: Iterable[Planted], schema: GraphQLSchema, verdict: Verdict) -> list[str]:
    """What the table allows and no path has brought: where a leak would not be seen, either."""
    missing = []
    for planted in objects:
        for coordinate in coordinates(schema, planted, planted.kind):
            readers = planted.seen & planted.readers(LINES[coordinate])
            missing += [
                f"{viewer}: {coordinate} of {planted.label}"
                for viewer in sorted(readers)
                if (viewer, planted.label, coordinate) not in verdict.reached
            ]
    return missing


def coordinates(schema: GraphQLSchema, planted: Planted, kind: str) -> Iterator[str]:
    """The fields of this object that hold something, with those of the values that hang on it."""
    described = schema.type_map[kind]
    assert isinstance(described, GraphQLObjectType)
    for name, definition in described.fields.items():
        if name not in planted.empty and f"{kind}.{name}" in LINES:
            yield f"{kind}.{name}"
            target = get_named_type(definition.type)
            if is_value(target) and planted.kind != "Query":
                yield from coordinates(schema, planted, target.name)
