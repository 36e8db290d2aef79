"""GraphiQL page for developers: our own build, or GraphiQL from a CDN if it was not built because Node is missing."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse

BUILD_DIR = Path(__file__).parent / "static" / "graphiql"
ASSETS_DIR = BUILD_DIR / "assets"

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
CDN = "https://unpkg.com"
CDN_CSP = (
    f"default-src 'none'; script-src 'unsafe-inline' {CDN}; style-src 'unsafe-inline' {CDN}; img-src 'self' data:; "
    "font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def is_built() -> bool:
    return (BUILD_DIR / "index.html").is_file()


def is_page_request(request: Request) -> bool:
    """Return whether a browser opens the page. A GET request with a query comes from a GraphQL client."""
    wants_page = "text/html" in request.headers.get("accept", "")
    return request.method == "GET" and "query" not in request.query_params and wants_page


def page() -> HTMLResponse:
    if is_built():
        return HTMLResponse((BUILD_DIR / "index.html").read_text(), headers=_headers(CSP))
    return HTMLResponse(CDN_PAGE, headers=_headers(CDN_CSP))


def _headers(content_security_policy: str) -> dict[str, str]:
    return {
        "content-security-policy": content_security_policy,
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
    }


CDN_PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>LMS GraphQL</title>
    <link rel="stylesheet" href="https://unpkg.com/graphiql@3.8.3/graphiql.min.css" />
    <style>body { margin: 0 } #graphiql { height: 100vh }</style>
  </head>
  <body>
    <div id="graphiql">
      Loading GraphiQL from its CDN. Install Node 20.19 or newer and run scripts/serve to host it here.
    </div>
    <script src="https://unpkg.com/react@18.3.1/umd/react.production.min.js"></script>
    <script src="https://unpkg.com/react-dom@18.3.1/umd/react-dom.production.min.js"></script>
    <script src="https://unpkg.com/graphiql@3.8.3/graphiql.min.js"></script>
    <script>
      const fetcher = GraphiQL.createFetcher({ url: "/graphql" });
      const defaultQuery = `# To log in, run the mutation "login" and copy the accessToken
# into the tab "Headers" below:
#
#   {"Authorization": "Bearer ACCESS_TOKEN"}

`;
      ReactDOM.createRoot(document.getElementById("graphiql")).render(
        // GraphiQL stores headers and variables in its history. In sessionStorage they are deleted with the tab.
        React.createElement(GraphiQL, { fetcher, defaultQuery, shouldPersistHeaders: false, storage: sessionStorage })
      );
    </script>
  </body>
</html>
"""
