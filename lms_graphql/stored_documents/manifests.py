"""Manifests of stored documents, as the tools of GraphQL clients write them."""

from collections.abc import Mapping
from typing import Any

import orjson

from lms_graphql.core.errors import OperatorError
from lms_graphql.stored_documents.models import MAX_ID_LENGTH

APOLLO_FORMAT = "apollo-persisted-query-manifest"
SHA256_PREFIX = "sha256:"


def read_manifest(content: bytes) -> dict[str, str]:
    """Return the texts by id. Raise OperatorError if the content is no manifest.

    - Apollo: `{"format": "apollo-persisted-query-manifest", "operations": [{"id": …, "body": …}, …]}`
    - Relay and graphql-codegen: `{"<id>": "<text>", …}`
    """
    try:
        manifest = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise OperatorError(f"The manifest is not valid JSON: {error}.") from None
    if not isinstance(manifest, dict):
        raise OperatorError("The manifest must be a JSON object of documents by id, or Apollo's manifest.")
    entries = _apollo_entries(manifest) if "operations" in manifest or "format" in manifest else manifest.items()
    texts: dict[str, str] = {}
    for written_id, text in entries:
        _require_entry(written_id, text)
        document_id = without_prefix(written_id)
        if texts.setdefault(document_id, text) != text:
            raise OperatorError(f"The manifest has two documents with the id {document_id}.")
    if not texts:
        raise OperatorError("The manifest has no documents.")
    return texts


def without_prefix(document_id: str) -> str:
    """Return the id without `sha256:`, which GraphQL over HTTP puts before hashes."""
    return document_id.removeprefix(SHA256_PREFIX)


def _apollo_entries(manifest: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    operations = manifest.get("operations")
    if manifest.get("format") != APOLLO_FORMAT or manifest.get("version") != 1 or not isinstance(operations, list):
        raise OperatorError(f'Apollo\'s manifest needs "format": "{APOLLO_FORMAT}", "version": 1 and "operations".')
    if not all(isinstance(operation, dict) for operation in operations):
        raise OperatorError('Each of the "operations" must be an object with "id" and "body".')
    return [(operation.get("id"), operation.get("body")) for operation in operations]


def _require_entry(document_id: Any, text: Any) -> None:
    if not isinstance(document_id, str) or not without_prefix(document_id).strip():
        raise OperatorError("A document of the manifest has no id.")
    if len(document_id) > MAX_ID_LENGTH or not document_id.isprintable():
        raise OperatorError(f"An id has more than {MAX_ID_LENGTH} characters, or control characters.")
    if not isinstance(text, str) or not text.strip():
        raise OperatorError(f"The document {document_id} has no text.")
