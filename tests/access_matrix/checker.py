"""Comparison of responses with the access matrix. Each value that is shown or missing wrongly is a violation."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import GraphQLNamedType, GraphQLObjectType, GraphQLSchema, get_named_type

from tests.access_matrix.arguments import VIEWER
from tests.access_matrix.fixture_objects import FixtureObject, FixtureObjects
from tests.access_matrix.matrix import ALONE, AUDIENCES
from tests.access_matrix.paths import RootSelection, is_connection, is_structural, is_value

_MARKER = re.compile(r"marker(?:-[a-z0-9]+)+", re.IGNORECASE)
_CURSOR = re.compile(r'"\w*cursor\w*":"([^"]*)"', re.IGNORECASE)
Path = tuple[str | int, ...]


@dataclass
class MatrixResult:
    """Violations, and (viewer, label, Type.field) of each value that a viewer has received."""

    violations: list[str] = field(default_factory=list)
    reached: set[tuple[str, str, str]] = field(default_factory=set)


def summary(messages: list[str], limit: int = 40) -> str:
    """Return the first messages and their number, for the output of a failing test."""
    return "\n".join(["", *messages[:limit], f"({len(messages)} in all)"])


class ResponseChecker:
    """Checks the responses to one viewer. With `creates`, they may contain objects that are not fixtures."""

    def __init__(
        self, objects: FixtureObjects, schema: GraphQLSchema, result: MatrixResult, viewer: str, creates: bool = False
    ) -> None:
        self._objects = objects
        self._schema = schema
        self._result = result
        self._viewer = viewer
        self._creates = creates
        self._location = ""
        self._expected_errors: set[tuple[Path, str]] = set()

    def check(self, root_type: str, body: Any, selections: dict[str, RootSelection]) -> None:
        """Check a response body. The selections are by their names in the response."""
        self._expected_errors = set()
        for name, value in (body.get("data") or {}).items():
            selection = selections[name]
            self._location = selection.path
            self._check_field(root_type, self._objects.by_label["root fields"], name, value, (name,))
            self._check_markers(value)
            is_denied = any(path == (name,) for path, _ in self._expected_errors)
            if selection.expected is not None and not is_denied:
                self._check_labels(value, selection.expected)
        self._location = "in an error"
        self._check_markers(body.get("errors", ()))
        errors = {(tuple(error.get("path", ())), error["extensions"]["code"]) for error in body.get("errors", ())}
        for path, code in sorted(errors ^ self._expected_errors, key=str):
            self._location = selections[str(path[0])].path if path else "whole response"
            problem = "is missing" if (path, code) in self._expected_errors else "is unexpected"
            self._add_violation(f"{code} at {path} {problem}")

    def _check_value(self, value: Any, path: Path, owner: FixtureObject | None) -> None:
        """Check what is inside a value. It is the owner or belongs to it. A new object has no owner."""
        if isinstance(value, list):
            for index, item in enumerate(value):
                self._check_value(item, (*path, index), owner)
        elif isinstance(value, dict):
            type_name = value["__typename"]
            if "id" in value:
                owner = self._find_object(type_name, value["id"])
            elif type_name == "Session":
                owner = self._objects.by_label["session"]
            if is_connection(self._type(type_name)):
                self._check_is_complete(value)
            for name, inner in value.items():
                if not name.startswith("__"):
                    self._check_field(type_name, owner, name, inner, (*path, name))

    def _check_field(self, type_name: str, owner: FixtureObject | None, name: str, value: Any, path: Path) -> None:
        coordinate = f"{type_name}.{name.split('__', maxsplit=1)[0]}"
        if owner is not None and not is_structural(self._type(type_name)):
            self._check_access(coordinate, owner, value, path)
        elif value is None and AUDIENCES.get(coordinate) is ALONE:
            self._expected_errors.add((path, "FORBIDDEN"))  # a user whom the super admin has just created
        self._check_value(value, path, owner)

    def _check_access(self, coordinate: str, owner: FixtureObject, value: Any, path: Path) -> None:
        if (audience := AUDIENCES.get(coordinate)) is None:
            self._add_violation(f"{coordinate} is not in the matrix")
            return
        is_allowed = self._viewer in owner.readers(audience)
        if value is None or (value == [] and not is_allowed):
            is_empty = owner.kind == "Query" or coordinate.split(".")[1] in owner.empty
            if is_allowed and not is_empty:
                self._add_violation(f"{coordinate} of {owner.label} is null")
            if not is_allowed and (code := audience.error_code(self._viewer != "anonymous")):
                self._expected_errors.add((path, code))
        elif not is_allowed:
            self._add_violation(f"{coordinate} of {owner.label} is visible")
        else:
            self._result.reached.add((self._viewer, owner.label, coordinate))
            marker = owner.markers.get(coordinate, value)
            if value not in (marker, [marker]):
                self._add_violation(f"{coordinate} of {owner.label} is of another object: {value}")

    def _find_object(self, type_name: str, global_id: str) -> FixtureObject | None:
        """Return the fixture object with this id. Add a violation if the viewer may not see it."""
        fixture = self._objects.by_global_id.get(global_id)
        if fixture is None:
            if not self._creates and type_name != "UserSession":  # the cases that log in start sessions
                self._add_violation(f"{type_name} {global_id} is not a fixture")
            return None
        if fixture.kind != type_name or self._viewer not in fixture.visible_to:
            self._add_violation(f"{fixture.kind} {fixture.label} is visible, as a {type_name}")
        return fixture

    def _check_markers(self, value: Any) -> None:
        """Search all texts for markers of fields that the viewer may not read: also errors and cursors."""
        for marker in dict.fromkeys(_MARKER.findall(_text(value))):
            owner, coordinate = self._objects.owner_of(marker.lower())
            if owner is None or self._viewer not in owner.readers(AUDIENCES[coordinate]):
                self._add_violation(f"{marker} is visible")

    def _check_labels(self, value: Any, labels: tuple[str, ...]) -> None:
        """Check that a root field returns exactly those of the labelled objects that the viewer may see."""
        if isinstance(value, dict):
            value = value.get("nodes", [value])
        returned = {self._label(item["id"]) for item in value or () if item}
        candidates = {self._viewer if label == VIEWER else label for label in labels} - {"anonymous"}
        expected = {label for label in candidates if self._viewer in self._objects.by_label[label].visible_to}
        if returned != expected:
            self._add_violation(f"returns {sorted(returned)}, not {sorted(expected)}")

    def _label(self, global_id: str) -> str:
        return self._objects.by_global_id[global_id].label if global_id in self._objects.by_global_id else global_id

    def _check_is_complete(self, connection: Any) -> None:
        """Check that a page has all items. A larger count leaks hidden items, and a cut page could hide a leak."""
        lengths = {connection["totalCount"], len(connection["nodes"]), len(connection["edges"])}
        if len(lengths) > 1 or connection["pageInfo"]["hasNextPage"]:
            self._add_violation(f"{connection['__typename']} has {lengths} items: it is cut or counts hidden ones")

    def _type(self, name: str) -> GraphQLNamedType:
        return self._schema.type_map[name]

    def _add_violation(self, problem: str) -> None:
        violation = f"{self._viewer}: {problem} — {self._location}"
        if violation not in self._result.violations:
            self._result.violations.append(violation)


def _text(value: Any) -> str:
    """Return the JSON text of a part of a response, followed by its decoded cursors."""
    text = orjson.dumps(value).decode()
    cursors = (urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode() for cursor in _CURSOR.findall(text))
    return "\n".join([text, *cursors])


def unreached_fields(objects: Iterable[FixtureObject], schema: GraphQLSchema, result: MatrixResult) -> list[str]:
    """Return the values that the matrix allows and no path has returned. A leak would not be noticed there either."""
    missing = []
    for fixture in objects:
        for coordinate in coordinates(schema, fixture, fixture.kind):
            readers = fixture.visible_to & fixture.readers(AUDIENCES[coordinate])
            missing += [
                f"{viewer}: {coordinate} of {fixture.label}"
                for viewer in sorted(readers)
                if (viewer, fixture.label, coordinate) not in result.reached
            ]
    return missing


def coordinates(schema: GraphQLSchema, fixture: FixtureObject, type_name: str) -> Iterator[str]:
    """Yield `Type.field` of each field of a fixture object that has a value, also those of its value objects."""
    graphql_type = schema.type_map[type_name]
    assert isinstance(graphql_type, GraphQLObjectType)
    for name, definition in graphql_type.fields.items():
        if name not in fixture.empty and f"{type_name}.{name}" in AUDIENCES:
            yield f"{type_name}.{name}"
            target = get_named_type(definition.type)
            if is_value(target) and fixture.kind != "Query":
                yield from coordinates(schema, fixture, target.name)
