"""Certificates taken back and given back."""

import strawberry

from lms_graphql.accounts.types import may
from lms_graphql.graph.context import Context, Info
from lms_graphql.graph.describing import described, input_type
from lms_graphql.graph.mutations import mutation
from lms_graphql.learning.models import RevocationReason
from lms_graphql.learning.reads.certificates import certificates_by_id
from lms_graphql.learning.service import certifying
from lms_graphql.learning.types.certificates import CertificatePayload


@input_type()
class RevokeCertificateInput:
    """A certificate to take back."""

    certificate_id: strawberry.ID = described("Which one.")
    reason: RevocationReason = described("Why.")
    note: str | None = described("For other super admins, at most 1,000 characters.", default=None)


@input_type()
class CertificateIdInput:
    """A certificate."""

    certificate_id: strawberry.ID = described("Which one.")


async def shown(context: Context, key: int) -> CertificatePayload:
    return CertificatePayload(certificate=await context.fetch(certificates_by_id, key))


@strawberry.type
class CertificateMutations:
    @mutation(may("certificate:revoke"))
    async def revoke_certificate(self, info: Info, input: RevokeCertificateInput) -> CertificatePayload | None:
        """
        Take a certificate back, for super admins: from now on it verifies as REVOKED. One that is revoked for another
        reason is reinstated first.
        """
        context = info.context
        key = await context.write(certifying.revoke_certificate, input.certificate_id, input.reason, input.note)
        return await shown(context, key)

    @mutation(may("certificate:revoke"))
    async def reinstate_certificate(self, info: Info, input: CertificateIdInput) -> CertificatePayload | None:
        """Make a revoked certificate good again, for super admins, whatever it was revoked for."""
        return await shown(
            info.context, await info.context.write(certifying.reinstate_certificate, input.certificate_id)
        )
