"""Authentication of requests: the actor from the `Authorization` header, the client's IP address and user agent."""

import ipaddress
import re
from collections.abc import Awaitable, Callable
from functools import lru_cache

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request

from lms_graphql.accounts import access_tokens
from lms_graphql.accounts.models import MAX_USER_AGENT_LENGTH
from lms_graphql.accounts.rate_limits import NETWORK_PREFIXES
from lms_graphql.accounts.reads import sessions
from lms_graphql.core import db_errors
from lms_graphql.core.actor import ANONYMOUS, Actor
from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.graph.context import AppResources

Authenticator = Callable[[AppResources, Request], Awaitable[Actor]]

NO_TOKEN = {"", "null", "undefined"}
"""Values that front ends send for anonymous visitors: nothing, or what JavaScript writes for a missing token."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


async def authenticate(resources: AppResources, request: Request) -> Actor:
    """Return the actor of the token, or the anonymous actor if there is no token.

    Raise UNAUTHENTICATED, with the same message for each reason, if the token is not valid. Raise UNAVAILABLE if the
    database is.
    """
    token = _bearer_token(request)
    if token is None:
        return ANONYMOUS
    try:
        claims = access_tokens.decode_token(resources.signer, token)
        actor = await resources.database.read(lambda session: sessions.find_actor(session, claims))
    except access_tokens.InvalidTokenError:
        raise _invalid_token() from None
    except SQLAlchemyError as error:
        if db_errors.is_unavailable(error):
            raise RequestError(RequestErrorCode.UNAVAILABLE, "The service is busy. Try again in a moment.") from None
        raise
    if actor is None:
        raise _invalid_token()
    return actor


def _bearer_token(request: Request) -> str | None:
    """Return the token, or None if there is none. Raise UNAUTHENTICATED for another scheme and for two headers."""
    # Other spaces than these belong to the token, which they make invalid.
    headers = [header.strip(" \t") for header in request.headers.getlist("authorization")]
    if len(headers) > 1:  # because a proxy may have checked the other header
        raise _invalid_token()
    if not headers or headers[0] in NO_TOKEN:
        return None
    scheme, _, token = headers[0].partition(" ")
    if scheme.lower() != "bearer":
        raise _invalid_token()
    token = token.lstrip(" ")
    return None if token in NO_TOKEN else token


def client_ip(request: Request) -> str:
    """Return the client's address from the network connection, because any client can send any header.

    IPv6 addresses are cut to the prefix of one customer.
    """
    return _normalized_ip(request.client.host if request.client is not None else "")


@lru_cache(1_000)
def _normalized_ip(host: str) -> str:
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return host[:45]
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, NETWORK_PREFIXES[6]), strict=False).network_address)
    return str(ip)


def user_agent(request: Request) -> str | None:
    """Return the header `User-Agent`, cut to what is stored, with control characters as spaces. None if it is blank.

    Headers arrive as Latin-1, but some clients send UTF-8.
    """
    sent = request.headers.get("user-agent", "").encode("latin-1")
    try:
        text = sent.decode()
    except UnicodeDecodeError:
        text = sent.decode("latin-1")
    return _CONTROL.sub(" ", text)[:MAX_USER_AGENT_LENGTH].strip() or None


def _invalid_token() -> RequestError:
    return RequestError(RequestErrorCode.UNAUTHENTICATED, "This token is not valid. Log in again.")
