"""Mutations that revoke and reinstate certificates."""

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
    """A certificate and the reason to revoke it."""

    certificate_id: strawberry.ID = field("Id of the certificate.")
    reason: RevocationReason = field("Reason of the revocation.")
    note: str | None = field("Note for other super admins, at most 1,000 characters.", default=None)


@input_type()
class CertificateIdInput:
    """The certificate to reinstate."""

    certificate_id: strawberry.ID = field("Id of the certificate.")


@strawberry.type
class CertificateMutations:
    @mutation(has_permission("certificate:revoke"))
    async def revoke_certificate(self, info: Info, input: RevokeCertificateInput) -> CertificatePayload | None:
        """Revoke a certificate, so that it verifies as REVOKED. Only super admins can do this.

        Returns INVALID_TRANSITION if it is revoked for another reason: reinstate it first.
        """
        context = info.context
        key = await context.write(certificates.revoke_certificate, input.certificate_id, input.reason, input.note)
        return await payload(context, CertificatePayload, certificate=(certificates_by_key, key))

    @mutation(has_permission("certificate:revoke"))
    async def reinstate_certificate(self, info: Info, input: CertificateIdInput) -> CertificatePayload | None:
        """Undo the revocation of a certificate, whatever its reason. Only super admins can do this."""
        key = await info.context.write(certificates.reinstate_certificate, input.certificate_id)
        return await payload(info.context, CertificatePayload, certificate=(certificates_by_key, key))
