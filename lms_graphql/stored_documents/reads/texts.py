"""Texts of stored documents."""

from collections.abc import Iterable

from sqlalchemy import bindparam, exists, func, select
from sqlalchemy.orm import Session

from lms_graphql.core.statements import KEYS, fetch_rows
from lms_graphql.stored_documents.models import StoredDocument

_TEXTS = select(StoredDocument.document_id, StoredDocument.text).where(StoredDocument.document_id.in_(KEYS))
_IDS = select(StoredDocument.document_id).where(
    StoredDocument.document_id.in_(KEYS), StoredDocument.client == bindparam("client")
)
_BY_HASH = select(exists().where(StoredDocument.text_hash == bindparam("hash")))


def texts_by_id(session: Session, document_ids: Iterable[str]) -> dict[str, str]:
    """Return the texts of the documents that are stored, by their ids."""
    rows = fetch_rows(session, _TEXTS, {"keys": list(document_ids)})
    return {row[0]: row[1] for row in rows}


def ids_of_client(session: Session, client: str, document_ids: Iterable[str]) -> set[str]:
    """Return those of the ids that the client has stored."""
    return {row[0] for row in fetch_rows(session, _IDS, {"keys": list(document_ids), "client": client})}


def is_stored(session: Session, text_hash: str) -> bool:
    """Return whether a document with this hash of its text is stored."""
    ((found,),) = fetch_rows(session, _BY_HASH, {"hash": text_hash})
    return bool(found)


def document_counts(session: Session) -> list[tuple[str, int]]:
    """Return the clients and the numbers of their documents, by name."""
    statement = select(StoredDocument.client, func.count()).group_by(StoredDocument.client)
    return [(client, count) for client, count in session.execute(statement.order_by(StoredDocument.client))]
