"""Loading and removal of stored documents."""

from collections.abc import Mapping
from hashlib import sha256

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from lms_graphql.core import clock
from lms_graphql.core.errors import OperatorError
from lms_graphql.core.statements import execute_dml
from lms_graphql.stored_documents.models import StoredDocument
from lms_graphql.stored_documents.reads.texts import ids_of_client, texts_by_id

BATCH_SIZE = 500


def store_documents(session: Session, client: str, texts: Mapping[str, str]) -> int:
    """Store the documents that the client does not have yet, and return their number.

    Raise OperatorError if an id belongs to another text: clients that are in use would get other data.
    """
    ids, of_client = list(texts), set[str]()
    for start in range(0, len(ids), BATCH_SIZE):
        batch = ids[start : start + BATCH_SIZE]
        _require_same_texts(texts, texts_by_id(session, batch))
        of_client |= ids_of_client(session, client, batch)
    now = clock.now()
    rows = [
        {
            "document_id": document_id,
            "text_hash": hash_of(text),
            "client": client,
            "text": text,
            "created_at": now,
            "updated_at": now,
        }
        for document_id, text in texts.items()
        if document_id not in of_client
    ]
    for start in range(0, len(rows), BATCH_SIZE):
        session.connection().execute(insert(StoredDocument), rows[start : start + BATCH_SIZE])
    return len(rows)


def _require_same_texts(texts: Mapping[str, str], stored: Mapping[str, str]) -> None:
    for document_id, text in stored.items():
        if texts[document_id] != text:
            raise OperatorError(f"The id {document_id} belongs to another document. Give the new one another id.")


def remove_documents(session: Session, client: str) -> int:
    """Delete the documents of a client, and return their number. Those that other clients have too stay stored."""
    return execute_dml(session, delete(StoredDocument).where(StoredDocument.client == client))


def hash_of(text: str) -> str:
    """Return the SHA-256 of a text in hexadecimal digits, as automatic persisted queries use it."""
    return sha256(text.encode()).hexdigest()
