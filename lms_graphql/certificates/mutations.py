"""Certificates taken back and given back."""

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.certificates.models import RevocationReason
from lms_graphql.certificates.reads import certificates_by_key
from lms_graphql.certificates.services import certificates
from lms_graphql.certificates.types import CertificatePayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import mutation, payload


@input_type()
class RevokeCertificateInput:
    """A certificate to take back."""

    certificate_id: strawberry.ID = field("Which one.")
    reason: RevocationReason = field("Why.")
    note: str | None = field("For other super admins, at most 1,000 characters.", default=None)


@input_type()
class CertificateIdInput:
    """A certificate."""

    certificate_id: strawberry.ID = field("Which one.")


@strawberry.type
class CertificateMutations:
    @mutation(has_permission("certificate:revoke"))
    async def revoke_certificate(self, info: Info, input: RevokeCertificateInput) -> CertificatePayload | None:
        """
        Take a certificate back, for super admins: from now on it verifies as REVOKED. One that is revoked for another
        reason is reinstated first.
        """
        context = info.context
        key = await context.write(certificates.revoke_certificate, input.certificate_id, input.reason, input.note)
        return await payload(context, CertificatePayload, certificate=(certificates_by_key, key))

    @mutation(has_permission("certificate:revoke"))
    async def reinstate_certificate(self, info: Info, input: CertificateIdInput) -> CertificatePayload | None:
        """Make a revoked certificate good again, for super admins, whatever it was revoked for."""
        key = await info.context.write(certificates.reinstate_certificate, input.certificate_id)
        return await payload(info.context, CertificatePayload, certificate=(certificates_by_key, key))
