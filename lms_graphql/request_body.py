"""Bodies of requests to endpoints other than GraphQL."""

from starlette.requests import Request


async def read_body(request: Request, max_bytes: int) -> bytes | None:
    """Return the raw body; None if it is larger. Raise ClientDisconnect if it does not arrive completely."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            return None
    return bytes(body)
