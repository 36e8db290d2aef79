"""Certificates, and where they hang on people."""

from datetime import datetime
from typing import Any

import strawberry

from lms_graphql.accounts.policies import is_self
from lms_graphql.accounts.reads.users import users_by_id
from lms_graphql.accounts.types import IsSelf, User
from lms_graphql.catalog.reads.courses import courses_by_id
from lms_graphql.catalog.types import Course
from lms_graphql.core.actor import Actor
from lms_graphql.core.paging import Slice
from lms_graphql.graph.connections import After, Before, Connection, First, Last
from lms_graphql.graph.context import Info
from lms_graphql.graph.describing import described, expose, object_type, resolver
from lms_graphql.graph.edges import edge
from lms_graphql.graph.mutations import UserError, no_errors
from lms_graphql.graph.node import Node
from lms_graphql.graph.permissions import Door, door
from lms_graphql.learning import addresses
from lms_graphql.learning.models import RevocationReason
from lms_graphql.learning.reads import certificates
from lms_graphql.learning.reads.certificates import VerificationStatus
from lms_graphql.learning.validity import CertificateStatus

expose(
    CertificateStatus,
    "What a certificate is worth now.",
    VALID="It is good.",
    EXPIRED="It was good until `expiresAt`.",
    REVOKED="It was taken back, whether it had expired or not.",
)
expose(
    VerificationStatus,
    "What a code says of a certificate now.",
    VALID="It is genuine and good.",
    EXPIRED="It is genuine, and was good until `expiresAt`.",
    REVOKED="It was taken back, whether it had expired or not.",
    NOT_FOUND="Nobody has a certificate with this code.",
)
expose(
    RevocationReason,
    "Why a certificate was taken back.",
    MISCONDUCT="It was not earned honestly.",
    ERROR="It should not have been issued.",
    REFUND="The course was paid back. Coming back to the course makes the certificate good again.",
)


class IsHolder(Door):
    """Whose certificate it is, or a super admin."""

    def admits(self, actor: Actor, source: Any) -> bool:
        return is_self(actor, source.user_key)


@object_type
class Certificate(Node):
    """
    Somebody has completed a course. Names and titles are as they were when it was issued. Seen by the holder and by
    course staff.
    """

    serial: str = described("Its number, which anyone may know: it opens nothing.")
    verification_code: str | None = described(
        "The holder and super admins only. For `verifyCertificate`.", extensions=[door(IsHolder)]
    )
    title: str = described("What it is called, with the course's title.")
    learner_name: str = described("Who completed the course.")
    course_title: str = described("What the course was called.")
    instructor_name: str = described("Who taught it.")
    issued_at: datetime = described("When it was issued.")
    expires_at: datetime | None = described("Until when it is good; null: for ever.")
    revoked_at: datetime | None = described("When it was taken back; null unless it is revoked now.")
    status: CertificateStatus = described("What it is worth now.")
    user_key: strawberry.Private[int]
    course_key: strawberry.Private[int]

    @resolver()
    def user(self, info: Info) -> User:
        """Who holds it, under their name of today."""
        return info.context.one(users_by_id, self.user_key)

    @resolver()
    def course(self, info: Info) -> Course:
        """The course as it is today."""
        return info.context.one(courses_by_id, self.course_key)

    @resolver(extensions=[door(IsHolder)])
    def pdf_url(self, info: Info) -> str | None:
        """Where its PDF is served, for whoever has this address. The holder and super admins only."""
        assert self.verification_code is not None
        return addresses.below(info.context.settings.public_url, addresses.pdf_path(self.verification_code))


@object_type
class CertificateVerification:
    """What anyone is told who holds a code; all null where there is no such certificate."""

    status: VerificationStatus = described("Whether it is genuine and good.")
    serial: str | None = described("The certificate's number.")
    learner_name: str | None = described("Who completed the course.")
    course_title: str | None = described("What the course was called.")
    instructor_name: str | None = described("Who taught it.")
    issued_at: datetime | None = described("When it was issued.")
    expires_at: datetime | None = described("Until when it is good; null: for ever.")


@object_type
class CertificatePayload:
    """What came of it."""

    certificate: Certificate | None = described("The certificate as it is now.", default=None)
    errors: list[UserError] = no_errors()


@edge(User, name="certificates", extensions=[door(IsSelf)])
def certificates_of_user(
    user: strawberry.Parent[User],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Certificate] | None:
    """(self) What they have completed, the newest first."""
    return info.context.page(certificates.certificates_of_user(), Slice(first, after, last, before), user.key)
