"""The entrances to learning."""

from typing import Annotated

import strawberry

from lms_graphql.accounts.service.sessions import Desk
from lms_graphql.catalog.types import shown
from lms_graphql.graph.context import Info
from lms_graphql.learning import codes
from lms_graphql.learning.reads import certificates
from lms_graphql.learning.service import verifying
from lms_graphql.learning.types.certificates import CertificateVerification

Code = Annotated[
    str, strawberry.argument(description="As it stands on the certificate; case, spaces and dashes do not matter.")
]


@strawberry.type
class LearningQueries:
    @strawberry.field
    async def verify_certificate(self, info: Info, code: Code) -> CertificateVerification:
        """Whether a certificate is genuine, for anyone who holds its verification code. Once per document."""
        context = info.context
        if (known := codes.read(code)) is None:
            return shown(certificates.UNKNOWN)  # not even a guess
        certificate = await context.fetch(certificates.certificates_by_code, known)
        if certificate is None:
            await context.write(verifying.note_miss, Desk(context.signer, context.settings, context.origin))
            return shown(certificates.UNKNOWN)
        return shown(certificates.verification_of(certificate))
