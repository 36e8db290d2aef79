"""GraphQL types of certificates, and the field of users that lists them."""

from datetime import datetime
from typing import Any

import strawberry

from lms_graphql.accounts.policies import is_self_or_super_admin
from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.accounts.types import IsSelfOrSuperAdmin, User
from lms_graphql.catalog.reads.courses import courses_by_key
from lms_graphql.catalog.types.course import Course
from lms_graphql.certificates import reads, urls
from lms_graphql.certificates.models import RevocationReason
from lms_graphql.certificates.reads import VerificationStatus
from lms_graphql.certificates.validity import CertificateStatus
from lms_graphql.core.actor import Actor
from lms_graphql.core.pagination import PageArguments
from lms_graphql.core.urls import join_url
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.connections import After, Before, Connection, First, Last
from lms_graphql.graph.schema.fields import expose_enum, field, object_type, resolver_field
from lms_graphql.graph.schema.mutations import UserError, errors_field
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.permissions import Permission, require
from lms_graphql.graph.schema.type_extensions import extend_type

INSTRUCTOR_NAME = "Full name of the instructor at issue; the platform's name if the account had been deleted."

expose_enum(
    CertificateStatus,
    "Status of a certificate.",
    VALID="The certificate is valid.",
    EXPIRED="The certificate was valid until `expiresAt`.",
    REVOKED="The certificate was revoked, whether it has expired or not.",
)
expose_enum(
    VerificationStatus,
    "Result of verifying a code.",
    VALID="The certificate is genuine and valid.",
    EXPIRED="The certificate is genuine and was valid until `expiresAt`.",
    REVOKED="The certificate was revoked, whether it has expired or not.",
    NOT_FOUND="No certificate has this code.",
)
expose_enum(
    RevocationReason,
    "Reason why a certificate was revoked.",
    MISCONDUCT="The learner did not earn the certificate honestly.",
    ERROR="The certificate was issued by mistake.",
    REFUND="The course was refunded. When the learner enrolls again, the certificate is reinstated.",
)


class IsHolder(Permission):
    """Permission for the certificate's holder and super admins."""

    def allows(self, actor: Actor, source: Any) -> bool:
        return is_self_or_super_admin(actor, source.user_key)


@object_type
class Certificate(Node):
    """
    Proof that a learner has completed a course. Names and titles are those at issue. Visible to the holder and course
    staff. A field for the holder and super admins only is null for other viewers, with a FORBIDDEN error.
    """

    serial: str = field("Serial number. It is public and gives no access.")
    verification_code: str | None = field(
        "The holder and super admins only. Code for `verifyCertificate`.", extensions=[require(IsHolder)]
    )
    title: str = field("Title of the certificate, which contains the course's title.")
    learner_name: str = field("Full name of the learner at issue.")
    course_title: str = field("Title of the course at issue.")
    instructor_name: str = field(INSTRUCTOR_NAME)
    issued_at: datetime = field("When the certificate was issued.")
    expires_at: datetime | None = field("When the certificate expires; null if it never does.")
    revoked_at: datetime | None = field("When the certificate was revoked; null if it is not revoked.")
    status: CertificateStatus = field("Status.")
    user_key: strawberry.Private[int]
    course_key: strawberry.Private[int]

    @resolver_field()
    def user(self, info: Info) -> User:
        """Holder of the certificate, with the current name."""
        return info.context.load(users_by_key, self.user_key)

    @resolver_field()
    def course(self, info: Info) -> Course:
        """Course, with its current title."""
        return info.context.load(courses_by_key, self.course_key)

    @resolver_field(extensions=[require(IsHolder)])
    def pdf_url(self, info: Info) -> str | None:
        """The holder and super admins only. URL of the PDF. It needs no login: anyone with the URL can read it."""
        assert self.verification_code is not None
        return join_url(info.context.settings.service_url, urls.pdf_path(self.verification_code))


@object_type
class CertificateVerification:
    """Result of verifying a code. If no certificate has it, all fields but `status` are null."""

    status: VerificationStatus = field("Whether the certificate is genuine and valid.")
    serial: str | None = field("Serial number of the certificate.")
    learner_name: str | None = field("Full name of the learner at issue.")
    course_title: str | None = field("Title of the course at issue.")
    instructor_name: str | None = field(INSTRUCTOR_NAME)
    issued_at: datetime | None = field("When the certificate was issued.")
    expires_at: datetime | None = field("When the certificate expires; null if it never does.")


@object_type
class CertificatePayload:
    """Result of revoking or reinstating a certificate: the certificate, or errors."""

    certificate: Certificate | None = field(
        "The certificate after the change; null if there are errors.", default=None
    )
    errors: list[UserError] = errors_field()


@extend_type(User, name="certificates", extensions=[require(IsSelfOrSuperAdmin)])
def certificates_of_user(
    user: strawberry.Parent[User],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Certificate] | None:
    """The user and super admins only. Certificates of the user, newest first."""
    return info.context.page(reads.certificates_of_user(), PageArguments(first, after, last, before), user.key)
