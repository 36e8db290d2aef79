"""Certificates, and where they hang on people."""

from datetime import datetime
from typing import Any

import strawberry

from lms_graphql.accounts.policies import is_self
from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.accounts.types import IsSelf, User
from lms_graphql.catalog.reads.courses import courses_by_key
from lms_graphql.catalog.types.course import Course
from lms_graphql.certificates import reads, urls
from lms_graphql.certificates.models import RevocationReason
from lms_graphql.certificates.reads import VerificationStatus
from lms_graphql.certificates.validity import CertificateStatus
from lms_graphql.core.actor import Actor
from lms_graphql.core.pagination import PageArguments
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.connections import After, Before, Connection, First, Last
from lms_graphql.graph.schema.fields import expose_enum, field, object_type, resolver_field
from lms_graphql.graph.schema.mutations import UserError, errors_field
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.permissions import Permission, require
from lms_graphql.graph.schema.type_extensions import extend_type

expose_enum(
    CertificateStatus,
    "What a certificate is worth now.",
    VALID="It is good.",
    EXPIRED="It was good until `expiresAt`.",
    REVOKED="It was taken back, whether it had expired or not.",
)
expose_enum(
    VerificationStatus,
    "What a code says of a certificate now.",
    VALID="It is genuine and good.",
    EXPIRED="It is genuine, and was good until `expiresAt`.",
    REVOKED="It was taken back, whether it had expired or not.",
    NOT_FOUND="Nobody has a certificate with this code.",
)
expose_enum(
    RevocationReason,
    "Why a certificate was taken back.",
    MISCONDUCT="It was not earned honestly.",
    ERROR="It should not have been issued.",
    REFUND="The course was paid back. Coming back to the course makes the certificate good again.",
)


class IsHolder(Permission):
    """Whose certificate it is, or a super admin."""

    def allows(self, actor: Actor, source: Any) -> bool:
        return is_self(actor, source.user_key)


@object_type
class Certificate(Node):
    """
    Somebody has completed a course. Names and titles are as they were when it was issued. Seen by the holder and by
    course staff.
    """

    serial: str = field("Its number, which anyone may know: it opens nothing.")
    verification_code: str | None = field(
        "The holder and super admins only. For `verifyCertificate`.", extensions=[require(IsHolder)]
    )
    title: str = field("What it is called, with the course's title.")
    learner_name: str = field("Who completed the course.")
    course_title: str = field("What the course was called.")
    instructor_name: str = field("Who taught it.")
    issued_at: datetime = field("When it was issued.")
    expires_at: datetime | None = field("Until when it is good; null: for ever.")
    revoked_at: datetime | None = field("When it was taken back; null unless it is revoked now.")
    status: CertificateStatus = field("What it is worth now.")
    user_key: strawberry.Private[int]
    course_key: strawberry.Private[int]

    @resolver_field()
    def user(self, info: Info) -> User:
        """Who holds it, under their name of today."""
        return info.context.load(users_by_key, self.user_key)

    @resolver_field()
    def course(self, info: Info) -> Course:
        """The course as it is today."""
        return info.context.load(courses_by_key, self.course_key)

    @resolver_field(extensions=[require(IsHolder)])
    def pdf_url(self, info: Info) -> str | None:
        """Where its PDF is served, for whoever has this address. The holder and super admins only."""
        assert self.verification_code is not None
        return urls.join_url(info.context.settings.public_url, urls.pdf_path(self.verification_code))


@object_type
class CertificateVerification:
    """What anyone is told who holds a code; all null where there is no such certificate."""

    status: VerificationStatus = field("Whether it is genuine and good.")
    serial: str | None = field("The certificate's number.")
    learner_name: str | None = field("Who completed the course.")
    course_title: str | None = field("What the course was called.")
    instructor_name: str | None = field("Who taught it.")
    issued_at: datetime | None = field("When it was issued.")
    expires_at: datetime | None = field("Until when it is good; null: for ever.")


@object_type
class CertificatePayload:
    """What came of it."""

    certificate: Certificate | None = field("The certificate as it is now.", default=None)
    errors: list[UserError] = errors_field()


@extend_type(User, name="certificates", extensions=[require(IsSelf)])
def certificates_of_user(
    user: strawberry.Parent[User],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Certificate] | None:
    """(self) What they have completed, the newest first."""
    return info.context.page(reads.certificates_of_user(), PageArguments(first, after, last, before), user.key)
