"""GraphQL-over-HTTP requests: read within limits and checked before the document is looked at."""

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
"""Methods whose request is in the URL. They never write."""
LARGE_BODY_BYTES, MAX_LARGE_BODIES = 100_000, 32
"""Bytes above which a body is large, and how many large bodies are received at the same time."""
PERSISTED_QUERY_NOT_SUPPORTED_MESSAGE = "PersistedQueryNotSupported"
"""Message by which clients of automatic persisted queries know that they must send the document itself."""
HASH = re.compile(r"[0-9a-f]{64}")
MAX_ID_LENGTH = 207
"""Length of the id of a stored document, with the prefix `sha256:`."""
VALUE_MARKERS = (b"[", b"{", b",")
"""Each value in a JSON list, and each key of an object, follows one of these characters."""
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.?[^"\\]*+)*+"?', re.DOTALL)
"""A JSON string to its end, or to the end of the text. Possessive quantifiers keep it linear."""


class HTTPRequestError(Exception):
    """A request that is rejected before GraphQL: `status` is its HTTP status."""

    def __init__(self, status: int, message: str, code: RequestErrorCode = RequestErrorCode.BAD_USER_INPUT) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Limits of a body: its bytes, the depth of its JSON, and its values (lists, objects and their items)."""

    bytes: int
    depth: int
    values: int


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """A request. Its `query` is empty if it only has the id or the hash of its document."""

    query: str
    operation_name: str | None
    variables: dict[str, Any] | None
    document_id: str | None = None
    query_hash: str | None = None
    """SHA-256 of an automatic persisted query."""
    is_stored: bool = False
    """True if the document was found among the stored ones."""


class LargeBodyLimiter:
    """Limits the large bodies that are received at the same time.

    Many small bodies may arrive together. Large ones are few, because a body that never ends stays in memory.
    """

    def __init__(self) -> None:
        self._large_bodies = 0

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one of the slots. Raise 503 UNAVAILABLE if all are taken."""
        if self._large_bodies >= MAX_LARGE_BODIES:
            raise HTTPRequestError(503, error_formatting.BUSY_MESSAGE, RequestErrorCode.UNAVAILABLE)
        self._large_bodies += 1
        try:
            yield
        finally:
            self._large_bodies -= 1


async def read_request(request: Request, limits: RequestLimits, limiter: LargeBodyLimiter) -> GraphQLRequest:
    """Return the checked request of a URL or a JSON body. Raise HTTPRequestError with status 400, 413, 415 or 503."""
    if request.method in SAFE_METHODS:
        return _to_graphql_request(_from_url(request.query_params, limits))
    media_type, *parameters = request.headers.get("content-type", "").lower().split(";")
    if media_type.strip() != JSON:
        raise HTTPRequestError(415, f"Send the request as {JSON}.")
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip('"') not in {"utf-8", "utf8"}:
            raise HTTPRequestError(415, "Send the request in UTF-8.")
    return _to_graphql_request(parse_json(await _read_body(request, limits.bytes, limiter), limits))


def negotiate_media_type(accept: str | None) -> str:
    """Return the media type of the response: the GraphQL one if it is accepted, else JSON.

    Raise HTTPRequestError with status 406 if neither is accepted.
    """
    if not accept:
        return JSON
    offers = [(_weight(offer), offer.split(";")[0].strip().lower()) for offer in accept.split(",")]
    max_weight, media_type = 0.0, None
    for weight, name in offers:
        supported = {GRAPHQL_JSON: GRAPHQL_JSON, JSON: JSON, "application/*": JSON, "*/*": JSON}.get(name)
        if supported is not None and weight > max_weight:
            max_weight, media_type = weight, supported
    if media_type is None:
        raise HTTPRequestError(406, f"Accept {GRAPHQL_JSON} or {JSON}.")
    return media_type


def _weight(offer: str) -> float:
    for parameter in offer.split(";")[1:]:
        name, _, value = parameter.strip().partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


async def _read_body(request: Request, max_bytes: int, limiter: LargeBodyLimiter) -> bytes:
    too_large = HTTPRequestError(413, f"Send at most {max_bytes} bytes.", RequestErrorCode.PAYLOAD_TOO_LARGE)
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length[:18]) > max_bytes:
        raise too_large
    body = bytearray()
    with ExitStack() as slot:
        async for chunk in request.stream():
            if len(body) <= LARGE_BODY_BYTES < len(body) + len(chunk):
                slot.enter_context(limiter.slot())
            body += chunk
            if len(body) > max_bytes:
                raise too_large
    return bytes(body)


def parse_json(text: bytes, limits: RequestLimits) -> Any:
    """Return the parsed JSON. Raise HTTPRequestError with status 400 if it is invalid or exceeds a limit."""
    if _count_values(text, limits.values) > limits.values:
        message = f"The request has more than {limits.values} values. Send fewer values at once."
        raise HTTPRequestError(400, message)
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise HTTPRequestError(400, "The request is not valid JSON in UTF-8.") from None
    if _is_deeper_than(limits.depth, value):
        raise HTTPRequestError(400, f"The request nests deeper than {limits.depth} levels. Send flatter values.")
    return value


def _count_values(text: bytes, limit: int) -> int:
    """Return an upper bound of the number of values in the JSON text. It is exact enough to compare with the limit.

    Values are counted before they are parsed: a long text is cheap to parse, but many small lists take a second.
    Characters inside strings are left out only if the count with them exceeds the limit.
    """
    count = sum(map(text.count, VALUE_MARKERS))
    return count if count <= limit else sum(map(_TEXT.sub(b"", text).count, VALUE_MARKERS))


def _is_deeper_than(max_depth: int, value: Any) -> bool:
    level = [value]
    for _ in range(max_depth):
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


def _from_url(parameters: Mapping[str, str], limits: RequestLimits) -> dict[str, Any]:
    values: dict[str, Any] = dict(parameters)
    for name in ("variables", "extensions"):
        if values.get(name):
            values[name] = parse_json(values[name].encode(), limits)
        else:
            values.pop(name, None)
    return values


def _to_graphql_request(values: Any) -> GraphQLRequest:
    if isinstance(values, list):
        raise HTTPRequestError(400, "Batched requests are not supported. Send one request at a time.")
    if not isinstance(values, dict):
        raise HTTPRequestError(400, 'The request is not a JSON object. Send an object with a "query".')
    name, variables, extensions = values.get("operationName"), values.get("variables"), values.get("extensions")
    query, document_id, query_hash = _document_of(values, extensions)
    if not isinstance(name, str | None):
        raise HTTPRequestError(400, '"operationName" must be a string or null.')
    if not isinstance(variables, dict | None):
        raise HTTPRequestError(400, '"variables" must be an object or null.')
    if not isinstance(extensions, dict | None):
        raise HTTPRequestError(400, '"extensions" must be an object or null.')
    return GraphQLRequest(query, name or None, variables, document_id, query_hash)


def _document_of(values: Mapping[str, Any], extensions: Any) -> tuple[str, str | None, str | None]:
    """Return the document, the id of a stored document, and the hash of a persisted query. One of them is sent."""
    query, document_id = values.get("query"), values.get("documentId")
    persisted = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
    query_hash = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if document_id and query:
        raise HTTPRequestError(400, 'Send either "query" or "documentId".')
    if document_id:
        if not isinstance(document_id, str) or len(document_id) > MAX_ID_LENGTH:
            raise HTTPRequestError(400, f'"documentId" must be a string of at most {MAX_ID_LENGTH} characters.')
        return "", document_id.removeprefix("sha256:"), None
    if query_hash is not None and not (isinstance(query_hash, str) and HASH.fullmatch(query_hash)):
        raise HTTPRequestError(400, '"sha256Hash" must be a SHA-256 in 64 hexadecimal digits in lower case.')
    if not query and persisted:
        return "", None, query_hash or ""
    if not isinstance(query, str) or not query.strip():
        raise HTTPRequestError(400, '"query" is missing. Send a GraphQL document as a string.')
    return query, None, query_hash
