"""Query that verifies a certificate."""

from typing import Annotated

import strawberry

from lms_graphql.accounts.services.sessions import AuthContext
from lms_graphql.certificates import reads
from lms_graphql.certificates.services import verification
from lms_graphql.certificates.types import CertificateVerification
from lms_graphql.core import codes
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import as_graphql

Code = Annotated[
    str,
    strawberry.argument(
        description="Verification code, as printed on the certificate. Case, spaces and dashes are ignored."
    ),
]


@strawberry.type
class CertificateQueries:
    @strawberry.field
    async def verify_certificate(self, info: Info, code: Code) -> CertificateVerification:
        """
        Verification of a certificate by its code, for everyone. At most one per document. Too many unknown codes
        from one network cause `RATE_LIMITED`.
        """
        context = info.context
        if (normalized := codes.normalize_code(code)) is None:
            return as_graphql(reads.UNKNOWN_CODE)  # malformed, so it cannot be a guess and is not counted
        certificate = await context.load_async(reads.certificates_by_code, normalized)
        if certificate is None:
            await context.write(
                verification.count_failed_verification,
                AuthContext(context.signer, context.settings, context.client_ip),
            )
            return as_graphql(reads.UNKNOWN_CODE)
        return as_graphql(reads.to_verification(certificate))
