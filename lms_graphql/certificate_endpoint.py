"""`GET /certificates/{code}.pdf`: the PDF of a certificate, public to everyone who knows its code."""

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from lms_graphql.accounts.services.sessions import AuthContext
from lms_graphql.certificates import urls
from lms_graphql.certificates.pdf.document import DESIGN_VERSION, CertificateContent, render_pdf
from lms_graphql.certificates.reads import CertificateRow, certificates_by_code
from lms_graphql.certificates.services import verification
from lms_graphql.certificates.validity import CertificateStatus
from lms_graphql.core import codes, db_errors
from lms_graphql.core.actor import ANONYMOUS
from lms_graphql.core.errors import RequestError
from lms_graphql.core.urls import join_url
from lms_graphql.graph.context import AppResources
from lms_graphql.settings import Settings

MAX_QUEUED = 16
"""PDFs in the queue: 0.5 to 2 seconds of work. Further requests get 503 at once."""
NOT_FOUND_MESSAGE = "There is no certificate with this code. Check the code."
COMMON_HEADERS = {"x-robots-tag": "noindex"}
CACHE_HEADERS = {"cache-control": "private, no-cache"}
"""Browsers may store the PDF but must revalidate it each time, because a certificate may be revoked."""
NO_STORE_HEADERS = {"cache-control": "no-store"}


class CertificateEndpoint:
    """The endpoint. `client_ip` returns the address of the client, `is_busy` whether work waits too long."""

    def __init__(
        self, resources: AppResources, client_ip: Callable[[Request], str], is_busy: Callable[[], bool]
    ) -> None:
        self._resources = resources
        self._client_ip = client_ip
        self._is_busy = is_busy
        self._renderer = ThreadPoolExecutor(1, thread_name_prefix="certificates")
        self._queued = 0

    async def handle(self, request: Request) -> Response:
        if (code := codes.normalize_code(request.path_params["code"])) is None:
            return _text_response(NOT_FOUND_MESSAGE, 404)
        if self._is_busy():
            return _busy()
        try:
            async with asyncio.timeout(self._resources.settings.limit_seconds):
                return await self._respond(request, code)
        except TimeoutError:
            return _busy()
        except Exception as error:
            # A failure may be counted twice if a commit is unknown, which is harmless.
            if db_errors.is_unavailable(error) or isinstance(error, db_errors.CommitUnknownError):
                return _busy()
            raise

    def close(self) -> None:
        self._renderer.shutdown(wait=False, cancel_futures=True)

    async def _respond(self, request: Request, code: str) -> Response:
        database = self._resources.database
        certificates = await database.read(lambda session: certificates_by_code(session, ANONYMOUS, [code]))
        if (certificate := certificates.get(code)) is None:
            return await self._not_found(request)
        if certificate.status is CertificateStatus.REVOKED:
            return _text_response("This certificate was revoked.", 410)
        content = certificate_content(certificate, self._resources.settings)
        tag = etag(content)
        headers = {**COMMON_HEADERS, **CACHE_HEADERS, "etag": tag}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if self._queued >= MAX_QUEUED:
            return _busy()
        self._queued += 1
        try:
            pdf = await asyncio.get_running_loop().run_in_executor(self._renderer, render_pdf, content)
        finally:
            self._queued -= 1
        headers["content-disposition"] = f'inline; filename="certificate-{content.serial}.pdf"'
        return Response(pdf, headers=headers, media_type="application/pdf")

    async def _not_found(self, request: Request) -> Response:
        """Count the failure against the rate limit of the client, as `verifyCertificate` does.

        Otherwise codes could be guessed here.
        """
        resources = self._resources
        auth = AuthContext(resources.signer, resources.settings, self._client_ip(request))
        try:
            await resources.database.write(
                lambda session: verification.count_failed_verification(session, ANONYMOUS, auth)
            )
        except RequestError as error:
            retry_after = resources.settings.login_window_minutes * 60
            return _text_response(error.message, 429, {"retry-after": str(retry_after)})
        return _text_response(NOT_FOUND_MESSAGE, 404)


def certificate_content(certificate: CertificateRow, settings: Settings) -> CertificateContent:
    """Return the texts of the PDF. Names and titles are those at issue; the platform's name and URL are today's."""
    code = certificate.verification_code
    return CertificateContent(
        issuer=settings.site_name,
        serial=certificate.serial,
        code=code,
        title=certificate.title,
        learner_name=certificate.learner_name,
        course_title=certificate.course_title,
        instructor_name=certificate.instructor_name,
        issued_at=certificate.issued_at,
        expires_at=certificate.expires_at,
        verification_url=join_url(settings.public_url, urls.verification_path(code)),
    )


def etag(content: CertificateContent) -> str:
    """Return a tag that changes if the content or the design of the PDF changes."""
    return f'"{hashlib.sha256(repr((DESIGN_VERSION, content)).encode()).hexdigest()[:32]}"'


def _text_response(text: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(f"{text}\n", status, headers={**COMMON_HEADERS, **NO_STORE_HEADERS, **(headers or {})})


def _busy() -> Response:
    return _text_response("The service is busy. Try again in a moment.", 503, {"retry-after": "1"})
