"""A certificate with the actors who may and may not see it, and a client of its mutations."""

from collections.abc import Callable
from typing import Any, ClassVar

from sqlalchemy import select

from lms_graphql.accounts.models import AuditEvent, User
from lms_graphql.catalog.models import EnrollmentStatus
from lms_graphql.certificates.models import Certificate
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from lms_graphql.core.database import Database
from tests.factories import Factories, global_id
from tests.mutation_client import MutationClient

CERTIFICATE = """query N($id: ID!) { node(id: $id) { ... on Certificate {
  id serial title learnerName courseTitle instructorName issuedAt expiresAt revokedAt status
  user { id } course { id title }
} } }"""
VISIBLE = {
    "anonymous": False,
    "learner": False,
    "other_instructor": False,
    "holder": True,
    "instructor": True,
    "admin": True,
}
"""The actors of a scenario, and whether they see its certificate."""

Issue = Callable[..., Certificate]


class CertificateScenario:
    """A holder's certificate of a completed course, and other users. Keyword arguments are the certificate's values.

    `learner` is another learner, `other_instructor` the instructor of another course, `admin` a super admin.
    """

    def __init__(self, make: Factories, **values: Any) -> None:
        self.instructor = make.user(Role.INSTRUCTOR)
        self.course = make.course("Rust, fearlessly", instructor=self.instructor)
        self.holder = make.user()
        self.enrollment = make.enrollment(self.holder, self.course, EnrollmentStatus.COMPLETED)
        self.certificate = make.certificate(self.holder, self.course, **values)
        self.learner = make.user()
        self.other_instructor = make.course().instructor
        self.admin = make.user(Role.SUPER_ADMIN)

    @property
    def id(self) -> str:
        return global_id("Certificate", self.certificate)

    def actor(self, name: str) -> Actor:
        if name == "anonymous":
            return ANONYMOUS
        user: User = getattr(self, name)
        return Actor(user.id, user.role)


class CertificateClient(MutationClient):
    documents: ClassVar = {
        "revokeCertificate": ("RevokeCertificateInput", "certificate { id status revokedAt }"),
        "reinstateCertificate": ("CertificateIdInput", "certificate { id status revokedAt }"),
    }


def audit_events(database: Database) -> list[tuple[str, int | None, int | None]]:
    """Return action, actor key and subject key of all audit events, in order."""
    events = select(AuditEvent.action, AuditEvent.actor_id, AuditEvent.subject_id).order_by(AuditEvent.id)
    return database.read_sync(lambda session: [(row[0], row[1], row[2]) for row in session.execute(events)])
