"""Responses that a CDN may cache: stored queries of anonymous viewers, whose fields are all public.

A process answers them from memory until they are `seconds` old, so that a CDN that validates its copy costs no
statement. There is no version that changes with each list, so they can be out of date for that time.
"""

import time
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
from graphql import FieldNode, GraphQLSchema, OperationType, TypeInfo, TypeInfoVisitor, Visitor, get_named_type, visit
from starlette.requests import Request
from starlette.responses import Response

from lms_graphql.core import metrics
from lms_graphql.graph.documents import Operation
from lms_graphql.graph.http.request import SAFE_METHODS, GraphQLRequest

MAX_BYTES = 16_000_000
MAX_VARIABLES_BYTES = 2_000
"""Length of variables as JSON, above which responses are not cached."""
ENTRY_BYTES = 1_000
"""Memory of an entry without its body."""

PublicFields = Mapping[str, Collection[str]]
"""Names of the public fields by type."""
Key = tuple[bytes, str | None, bytes, str]


@dataclass(frozen=True, slots=True)
class PublicResponse:
    """A response without errors. `stored_at` is a monotonic time."""

    body: bytes
    media_type: str
    etag: str
    stored_at: float
    seconds: int

    def respond(self, request: Request) -> Response:
        """Return the response, or status 304 if the client has it."""
        headers = {
            "cache-control": f"public, max-age={self.seconds}, stale-while-revalidate={self.seconds}",
            "age": str(int(time.monotonic() - self.stored_at)),
            "etag": self.etag,
            # The middleware that compresses adds no name to a 304, and caches take over the names of a 304.
            "vary": "accept, authorization, accept-encoding",
        }
        if _matches(request.headers.get("if-none-match", ""), self.etag):
            metrics.PUBLIC_RESPONSES.labels("not_modified").inc()
            return Response(status_code=304, headers=headers)
        return Response(self.body, headers=headers, media_type=f"{self.media_type}; charset=utf-8")


class PublicResponses:
    """Public responses of a process. `seconds` is how long they are used; 0 turns them off."""

    def __init__(self, schema: GraphQLSchema, fields: PublicFields, seconds: int, max_bytes: int = MAX_BYTES) -> None:
        self._schema = schema
        self._fields = fields
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._responses: OrderedDict[Key, PublicResponse] = OrderedDict()
        self.bytes = 0

    def key(self, request: Request, graphql_request: GraphQLRequest, media_type: str) -> Key | None:
        """Return the key of a request whose response may be public; None if it cannot be."""
        if not self._seconds or request.method not in SAFE_METHODS or not graphql_request.is_stored:
            return None
        if "authorization" in request.headers:
            return None
        try:
            variables = orjson.dumps(graphql_request.variables or {}, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:  # orjson writes fewer levels than `LMS_LIMIT_JSON_DEPTH` may allow
            return None
        if len(variables) > MAX_VARIABLES_BYTES:
            return None
        return sha256(graphql_request.query.encode()).digest(), graphql_request.operation_name, variables, media_type

    def find(self, key: Key) -> PublicResponse | None:
        found = self._responses.get(key)
        if found is not None and time.monotonic() - found.stored_at >= self._seconds:
            self._remove(key)
            found = None
        metrics.PUBLIC_RESPONSES.labels("miss" if found is None else "hit").inc()
        return found

    def store(self, key: Key, operation: Operation, body: Mapping[str, Any]) -> PublicResponse | None:
        """Store the body of a response and return it; None if it has errors, or if a field is not public."""
        if "errors" in body or not is_public(self._schema, operation, self._fields):
            return None
        content = orjson.dumps(body)
        # The tag is weak, because the compressed response has other bytes. Each media type has a tag of its own.
        media_type = key[3]
        etag = f'W/"{sha256(media_type.encode() + content).hexdigest()[:32]}"'
        stored = PublicResponse(content, media_type, etag, time.monotonic(), self._seconds)
        if key in self._responses:
            self._remove(key)
        self._responses[key] = stored
        self.bytes += _size(key, stored)
        while self.bytes > self._max_bytes:
            self._remove(next(iter(self._responses)))
        return stored

    def _remove(self, key: Key) -> None:
        self.bytes -= _size(key, self._responses.pop(key))


def is_public(schema: GraphQLSchema, operation: Operation, fields: PublicFields) -> bool:
    """Return whether all fields of the document are public. All its operations and fragments count."""
    visitor = _FieldVisitor(TypeInfo(schema), fields)
    visit(operation.document, TypeInfoVisitor(visitor.type_info, visitor))
    return operation.kind is OperationType.QUERY and visitor.is_public


class _FieldVisitor(Visitor):
    def __init__(self, type_info: TypeInfo, fields: PublicFields) -> None:
        super().__init__()
        self.type_info = type_info
        self.is_public = True
        self._fields = fields

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent = self.type_info.get_parent_type()
        name = node.name.value
        is_allowed = parent is not None and name in self._fields.get(get_named_type(parent).name, ())
        self.is_public = self.is_public and (is_allowed or name == "__typename")


def _matches(if_none_match: str, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in tags or etag.removeprefix("W/") in tags


def _size(key: Key, response: PublicResponse) -> int:
    return len(response.body) + len(key[2]) + ENTRY_BYTES
