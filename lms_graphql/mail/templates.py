"""Mail templates: one for each kind of mail, registered in `lms_graphql/wiring.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from lms_graphql.mail.messages import RenderedMail
from lms_graphql.mail.models import Mail


@dataclass(frozen=True)
class FrontendUrls:
    """URLs of the front end's pages. `base` is its public URL."""

    base: str

    def to(self, path: str, **parameters: str) -> str:
        url = self.base.rstrip("/") + path
        return f"{url}?{urlencode(parameters)}" if parameters else url


Template = Callable[[Session, Mail, FrontendUrls], RenderedMail | None]
"""Renders a mail, or returns None if it has no recipient any more.

It runs when the mail is sent, again at each retry, in a transaction of its own. There it creates the token that the
mail contains, so that the outbox never stores one.
"""

TEMPLATES: dict[str, Template] = {}
