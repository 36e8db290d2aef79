"""`GET /certificates/{code}.pdf`: a certificate for whoever has its code."""

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from lms_graphql.accounts.services.sessions import AuthContext
from lms_graphql.certificates import codes, urls
from lms_graphql.certificates.pdf.document import DESIGN_VERSION, CertificateContent, render_pdf
from lms_graphql.certificates.reads import CertificateRow, certificates_by_code
from lms_graphql.certificates.services import verification
from lms_graphql.certificates.validity import CertificateStatus
from lms_graphql.core import db_errors
from lms_graphql.core.actor import ANONYMOUS
from lms_graphql.core.errors import RequestError
from lms_graphql.graph.context import AppResources

MAX_QUEUED = 16
"""Half a second's to two seconds' work. Whoever comes then is sent away at once."""
COMMON_HEADERS = {"x-content-type-options": "nosniff", "x-robots-tag": "noindex"}
CACHE_HEADERS = {"cache-control": "private, no-cache"}
"""A browser may keep it and asks each time whether it still holds: a certificate may be revoked any day."""
NO_STORE_HEADERS = {"cache-control": "no-store"}


class CertificateEndpoint:
    """`origin_of` tells the machine that asks; `is_busy`, whether work waits for too long already."""

    def __init__(
        self, resources: AppResources, origin_of: Callable[[Request], str], is_busy: Callable[[], bool]
    ) -> None:
        self._resources = resources
        self._origin_of = origin_of
        self._is_busy = is_busy
        self._press = ThreadPoolExecutor(1, thread_name_prefix="certificates")
        self._waiting = 0

    async def handle(self, request: Request) -> Response:
        if (code := codes.normalize_code(request.path_params["code"])) is None:
            return _said("There is no such certificate.", 404)
        if self._is_busy():
            return _busy()
        try:
            async with asyncio.timeout(self._resources.settings.limit_seconds):
                return await self._answer(request, code)
        except TimeoutError:
            return _busy()
        except Exception as error:
            if db_errors.is_unavailable(error):
                return _busy()
            raise

    def close(self) -> None:
        self._press.shutdown(wait=False, cancel_futures=True)

    async def _answer(self, request: Request, code: str) -> Response:
        database = self._resources.database
        found = await database.read(lambda session: certificates_by_code(session, ANONYMOUS, [code]))
        if (certificate := found.get(code)) is None:
            return await self._missed(request)
        if certificate.status is CertificateStatus.REVOKED:
            return _said("This certificate was revoked.", 410)
        said = certificate_content(certificate, self._resources.settings.public_url)
        tag = etag(said)
        headers = {**COMMON_HEADERS, **CACHE_HEADERS, "etag": tag}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if self._waiting >= MAX_QUEUED:
            return _busy()
        self._waiting += 1
        try:
            pdf = await asyncio.get_running_loop().run_in_executor(self._press, render_pdf, said)
        finally:
            self._waiting -= 1
        headers["content-disposition"] = f'inline; filename="certificate-{said.serial}.pdf"'
        return Response(pdf, headers=headers, media_type="application/pdf")

    async def _missed(self, request: Request) -> Response:
        """As `verifyCertificate` counts it: nobody guesses here instead."""
        resources = self._resources
        desk = AuthContext(resources.signer, resources.settings, self._origin_of(request))
        try:
            await resources.database.write(
                lambda session: verification.count_failed_verification(session, ANONYMOUS, desk)
            )
        except RequestError as error:
            wait = resources.settings.login_window_minutes * 60
            return _said(error.message, 429, {"retry-after": str(wait)})
        return _said("There is no such certificate.", 404)


def certificate_content(certificate: CertificateRow, public_url: str) -> CertificateContent:
    code = certificate.verification_code
    return CertificateContent(
        serial=certificate.serial,
        code=code,
        title=certificate.title,
        learner_name=certificate.learner_name,
        course_title=certificate.course_title,
        instructor_name=certificate.instructor_name,
        issued_at=certificate.issued_at,
        expires_at=certificate.expires_at,
        address=urls.join_url(public_url, urls.verification_path(code)),
    )


def etag(said: CertificateContent) -> str:
    """Another one as soon as the PDF would be another."""
    return f'"{hashlib.sha256(repr((DESIGN_VERSION, said)).encode()).hexdigest()[:32]}"'


def _said(text: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(f"{text}\n", status, headers={**COMMON_HEADERS, **NO_STORE_HEADERS, **(headers or {})})


def _busy() -> Response:
    return _said("The service is busy. Try again in a moment.", 503, {"retry-after": "1"})
