"""The request around a document: read with a bound, checked before anything else looks at it."""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request

from lms_graphql.core.errors import RequestErrorCode
from lms_graphql.graph import error_formatting

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
SAFE_METHODS = {"GET", "HEAD"}
"""Methods that carry the request in the address, and never write."""
LARGE_BODY_BYTES, MAX_LARGE_BODIES = 100_000, 64
"""Bytes of a request, and how many with more are taken in at once."""
VALUE_MARKERS = (b"[", b"{", b",")
"""What comes before each value of a list or an object, or stands for the list itself."""
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.?[^"\\]*+)*+"?', re.DOTALL)
"""To its end, or to the end of everything: nothing is looked at twice."""


class HTTPRequestError(Exception):
    """A request that is none. `status` is the HTTP status, before any GraphQL."""

    def __init__(self, status: int, message: str, code: RequestErrorCode = RequestErrorCode.BAD_USER_INPUT) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Of a request. `values`: lists, objects and what is in them."""

    bytes: int
    depth: int
    values: int


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    query: str
    operation_name: str | None
    variables: dict[str, Any] | None


class LargeBodyLimiter:
    """Where bodies arrive: many may be on their way, but few large ones, since some never end and stay in memory."""

    def __init__(self) -> None:
        self._large = 0

    @contextmanager
    def slot(self) -> Iterator[None]:
        if self._large >= MAX_LARGE_BODIES:
            raise HTTPRequestError(503, error_formatting.BUSY_MESSAGE, RequestErrorCode.UNAVAILABLE)
        self._large += 1
        try:
            yield
        finally:
            self._large -= 1


async def read_request(request: Request, most: RequestLimits, entrance: LargeBodyLimiter) -> GraphQLRequest:
    if request.method in SAFE_METHODS:
        return _checked(_from_address(request.query_params, most))
    kind, *parameters = request.headers.get("content-type", "").lower().split(";")
    if kind.strip() != JSON:
        raise HTTPRequestError(415, f"Send the request as {JSON}.")
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip('"') not in {"utf-8", "utf8"}:
            raise HTTPRequestError(415, "Send the request in UTF-8.")
    return _checked(parse_json(await _body(request, most.bytes, entrance), most))


def negotiate_media_type(accept: str | None) -> str:
    """What to answer in: the GraphQL media type where it is asked for, else plain JSON. 406 where neither will do."""
    if not accept:
        return JSON
    offers = [(_weight(offer), offer.split(";")[0].strip().lower()) for offer in accept.split(",")]
    best, chosen = 0.0, None
    for weight, name in offers:
        known = {GRAPHQL_JSON: GRAPHQL_JSON, JSON: JSON, "application/*": JSON, "*/*": JSON}.get(name)
        if known is not None and weight > best:
            best, chosen = weight, known
    if chosen is None:
        raise HTTPRequestError(406, f"Accept {GRAPHQL_JSON} or {JSON}.")
    return chosen


def _weight(offer: str) -> float:
    for parameter in offer.split(";")[1:]:
        name, _, value = parameter.strip().partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


async def _body(request: Request, most_bytes: int, entrance: LargeBodyLimiter) -> bytes:
    too_large = HTTPRequestError(413, f"Send at most {most_bytes} bytes.", RequestErrorCode.PAYLOAD_TOO_LARGE)
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length[:18]) > most_bytes:
        raise too_large
    body = bytearray()
    with ExitStack() as held:
        async for chunk in request.stream():
            if len(body) <= LARGE_BODY_BYTES < len(body) + len(chunk):
                held.enter_context(entrance.slot())
            body += chunk
            if len(body) > most_bytes:
                raise too_large
    return bytes(body)


def parse_json(text: bytes, most: RequestLimits) -> Any:
    if _values(text, most.values) > most.values:
        raise HTTPRequestError(400, f"The request has more than {most.values} values.")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise HTTPRequestError(400, "The request is not valid JSON in UTF-8.") from None
    if _deeper_than(value, most.depth):
        raise HTTPRequestError(400, f"The request nests deeper than {most.depth} levels.")
    return value


def _values(text: bytes, enough: int) -> int:
    """
    At least as many as there are, and no more than `enough` where there are no more. Told before they are made: a
    long text costs little, many small lists take a second.
    """
    counted = sum(map(text.count, VALUE_MARKERS))
    return counted if counted <= enough else sum(map(_TEXT.sub(b"", text).count, VALUE_MARKERS))


def _deeper_than(value: Any, deepest: int) -> bool:
    level = [value]
    for _ in range(deepest):
        level = [
            item
            for outer in level
            if isinstance(outer, dict | list)
            for item in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True


def _from_address(parameters: Mapping[str, str], most: RequestLimits) -> dict[str, Any]:
    envelope: dict[str, Any] = dict(parameters)
    for name in ("variables", "extensions"):
        if envelope.get(name):
            envelope[name] = parse_json(envelope[name].encode(), most)
        else:
            envelope.pop(name, None)
    return envelope


def _checked(envelope: Any) -> GraphQLRequest:
    if isinstance(envelope, list):
        raise HTTPRequestError(400, "Send one request at a time: batches are not taken.")
    if not isinstance(envelope, dict):
        raise HTTPRequestError(400, 'Send a JSON object with a "query".')
    query, name = envelope.get("query"), envelope.get("operationName")
    variables, extensions = envelope.get("variables"), envelope.get("extensions")
    if not isinstance(query, str) or not query.strip():
        raise HTTPRequestError(400, '"query" is missing: a GraphQL document, as a string.')
    if not isinstance(name, str | None):
        raise HTTPRequestError(400, '"operationName" is a string or null.')
    if not isinstance(variables, dict | None):
        raise HTTPRequestError(400, '"variables" is an object or null.')
    if not isinstance(extensions, dict | None):
        raise HTTPRequestError(400, '"extensions" is an object or null.')
    return GraphQLRequest(query, name or None, variables)
