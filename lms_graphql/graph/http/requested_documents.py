"""Documents that requests name by an id or a hash: stored documents, and automatic persisted queries."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import sha256

from lms_graphql.core.errors import RequestErrorCode
from lms_graphql.graph.http.request import (
    PERSISTED_QUERY_NOT_SUPPORTED_MESSAGE,
    GraphQLRequest,
    HTTPRequestError,
)

PERSISTED_QUERY_NOT_FOUND_MESSAGE = "PersistedQueryNotFound"
"""Message by which clients of automatic persisted queries know that they must send the document with its hash."""
UNKNOWN_ID_MESSAGE = "There is no stored document with this id. Load the manifest of the client first."
WRONG_HASH_MESSAGE = "The hash is not the SHA-256 of the document. Send the hash of this document."
NOT_STORED_MESSAGE = "This service runs stored documents only. Send the id of a stored document as `documentId`."
STORED_SECONDS = 60.0
"""Time for which the text of a stored document is cached, so that removed documents stop working."""
MAX_CACHED_CHARACTERS = 10_000_000
ENTRY_CHARACTERS = 500
"""Number of characters as which an entry counts in addition: its id, and its places in memory."""

FindText = Callable[[str], Awaitable[str | None]]
"""Returns the text of a stored document by its id."""
IsStored = Callable[[str], Awaitable[bool]]
"""Returns whether a document with this SHA-256 is stored."""


class TextCache:
    """Texts by id, bounded in characters. The one that was used last is at the end."""

    def __init__(self, seconds: float, max_characters: int = MAX_CACHED_CHARACTERS) -> None:
        self._seconds = seconds
        self._max_characters = max_characters
        self._texts: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self.characters = 0

    def get(self, document_id: str) -> str | None:
        text, expires_at = self._texts.get(document_id, (None, 0.0))
        if text is None:
            return None
        if expires_at <= time.monotonic():
            self._remove(document_id)
            return None
        self._texts.move_to_end(document_id)
        return text

    def store(self, document_id: str, text: str) -> None:
        if document_id in self._texts:
            self._remove(document_id)
        self._texts[document_id] = text, time.monotonic() + self._seconds
        self.characters += len(text) + ENTRY_CHARACTERS
        while self.characters > self._max_characters:
            self._remove(next(iter(self._texts)))

    def _remove(self, document_id: str) -> None:
        text, _ = self._texts.pop(document_id)
        self.characters -= len(text) + ENTRY_CHARACTERS


class RequestedDocuments:
    """Texts of documents that requests name.

    `stored_only` rejects other documents than stored ones, except those of super admins. `automatic` stores documents
    of automatic persisted queries in memory, for this process.
    """

    def __init__(self, find_text: FindText, is_stored: IsStored, *, stored_only: bool, automatic: bool) -> None:
        self._find_text = find_text
        self._is_stored = is_stored
        self._stored_only = stored_only
        self._stored = TextCache(STORED_SECONDS)
        self._automatic = TextCache(float("inf")) if automatic and not stored_only else None

    async def resolve(self, request: GraphQLRequest) -> GraphQLRequest:
        """Return the request with its document. Raise HTTPRequestError with status 400 if it is unknown."""
        if request.query:
            if request.query_hash is not None and self._automatic is not None:
                self._store_automatic(request.query_hash, request.query)
            return request
        text = await self._stored_text(request.document_id or request.query_hash or "")
        if text is not None:
            return replace(request, query=text, is_stored=True)
        if request.document_id is not None:
            raise HTTPRequestError(400, UNKNOWN_ID_MESSAGE, RequestErrorCode.PERSISTED_QUERY_NOT_FOUND)
        if self._automatic is not None and (text := self._automatic.get(request.query_hash or "")) is not None:
            return replace(request, query=text)
        if self._automatic is not None or self._stored_only:
            message = PERSISTED_QUERY_NOT_FOUND_MESSAGE
            raise HTTPRequestError(400, message, RequestErrorCode.PERSISTED_QUERY_NOT_FOUND)
        message = PERSISTED_QUERY_NOT_SUPPORTED_MESSAGE
        raise HTTPRequestError(400, message, RequestErrorCode.PERSISTED_QUERY_NOT_SUPPORTED)

    async def require_allowed(self, request: GraphQLRequest, *, is_super_admin: bool) -> None:
        """Raise HTTPRequestError with status 400 if only stored documents may run, and this is another one."""
        if not self._stored_only or request.is_stored or is_super_admin:
            return
        if not await self._is_stored(_hash(request.query)):
            raise HTTPRequestError(400, NOT_STORED_MESSAGE, RequestErrorCode.DOCUMENT_NOT_STORED)

    async def _stored_text(self, document_id: str) -> str | None:
        text = self._stored.get(document_id)
        if text is None:
            text = await self._find_text(document_id)
            if text is not None:
                self._stored.store(document_id, text)
        return text

    def _store_automatic(self, query_hash: str, text: str) -> None:
        if _hash(text) != query_hash:
            raise HTTPRequestError(400, WRONG_HASH_MESSAGE)
        assert self._automatic is not None
        self._automatic.store(query_hash, text)


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
