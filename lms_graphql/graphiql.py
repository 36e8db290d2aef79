"""GraphiQL page for developers: our own build, or GraphiQL from a CDN if it was not built because Node is missing."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse

STATIC_DIR = Path(__file__).parent / "static"
BUILD_DIR = STATIC_DIR / "graphiql"
ASSETS_DIR = BUILD_DIR / "assets"

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
CDN = "https://unpkg.com"
CDN_PAGE = (STATIC_DIR / "graphiql_cdn.html").read_text(encoding="utf-8")
_INLINE_SCRIPT = CDN_PAGE.split("<script>")[1].split("</script>")[0]
_SCRIPT_HASH = b64encode(sha256(_INLINE_SCRIPT.encode()).digest()).decode()
CDN_CSP = (
    f"default-src 'none'; script-src 'sha256-{_SCRIPT_HASH}' {CDN}; style-src 'unsafe-inline' {CDN}; "
    "img-src 'self' data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def is_built() -> bool:
    return (BUILD_DIR / "index.html").is_file()


def is_page_request(request: Request) -> bool:
    """Return whether a browser opens the page. A link with a document is shown in the page, and never run."""
    if request.method != "GET":
        return False
    accepted = request.headers.get("accept", "").lower()
    return "text/html" in accepted and "json" not in accepted


def page() -> HTMLResponse:
    if is_built():
        return HTMLResponse((BUILD_DIR / "index.html").read_text(), headers=_headers(CSP))
    return HTMLResponse(CDN_PAGE, headers=_headers(CDN_CSP))


def _headers(content_security_policy: str) -> dict[str, str]:
    return {
        "content-security-policy": content_security_policy,
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
        "vary": "accept",  # because API clients get data from the same URL
    }
