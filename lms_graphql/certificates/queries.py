"""The entrances to learning."""

from typing import Annotated

import strawberry

from lms_graphql.accounts.services.sessions import AuthContext
from lms_graphql.certificates import codes, reads
from lms_graphql.certificates.services import verification
from lms_graphql.certificates.types import CertificateVerification
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import as_graphql

Code = Annotated[
    str, strawberry.argument(description="As it stands on the certificate; case, spaces and dashes do not matter.")
]


@strawberry.type
class CertificateQueries:
    @strawberry.field
    async def verify_certificate(self, info: Info, code: Code) -> CertificateVerification:
        """Whether a certificate is genuine, for anyone who holds its verification code. Once per document."""
        context = info.context
        if (known := codes.normalize_code(code)) is None:
            return as_graphql(reads.UNKNOWN)  # not even a guess
        certificate = await context.load_async(reads.certificates_by_code, known)
        if certificate is None:
            await context.write(
                verification.count_failed_verification,
                AuthContext(context.signer, context.settings, context.client_ip),
            )
            return as_graphql(reads.UNKNOWN)
        return as_graphql(reads.verification_of(certificate))
