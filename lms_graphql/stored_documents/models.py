"""The table of stored documents."""

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms_graphql.core.orm import TABLE_OPTIONS, TimestampedModel, case_sensitive, long_text

MAX_ID_LENGTH = 200
MAX_CLIENT_LENGTH = 100
HASH_LENGTH = 64


class StoredDocument(TimestampedModel):
    """A document of a client, such as a version of a front end.

    All clients that have an id have the same text for it, which never changes.

    `document_id` is what the client's tools have computed, mostly a hash. `text_hash` is the SHA-256 of the text in
    hexadecimal digits.
    """

    __tablename__ = "stored_documents"
    __table_args__ = (
        UniqueConstraint("document_id", "client"),
        Index(None, "text_hash"),
        Index(None, "client"),
        TABLE_OPTIONS,
    )

    document_id: Mapped[str] = mapped_column(case_sensitive(MAX_ID_LENGTH))
    text_hash: Mapped[str] = mapped_column(case_sensitive(HASH_LENGTH))
    client: Mapped[str] = mapped_column(case_sensitive(MAX_CLIENT_LENGTH))
    text: Mapped[str] = mapped_column(long_text())
