"""Mail templates: one for each kind of mail, registered in `lms_graphql/wiring.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from lms_graphql.core.urls import join_url
from lms_graphql.mail.messages import RenderedMail
from lms_graphql.mail.models import Mail


@dataclass(frozen=True)
class SiteUrls:
    """URLs in mails. `frontend` is the public URL of the front end, `service` that of this service."""

    frontend: str
    service: str

    def to(self, path: str, **parameters: str) -> str:
        """Return the URL of a page of the front end."""
        url = join_url(self.frontend, path)
        return f"{url}?{urlencode(parameters)}" if parameters else url

    def to_service(self, path: str) -> str:
        """Return the URL of something that this service itself serves."""
        return join_url(self.service, path)


Template = Callable[[Session, Mail, SiteUrls], RenderedMail | None]
"""Renders a mail, or returns None if it has no recipient any more.

It runs when the mail is sent, again at each retry, in a transaction of its own. There it creates the token that the
mail contains, so that the outbox never stores one.
"""

TEMPLATES: dict[str, Template] = {}
