"""How each kind of mail is worded. Filled in `lms_graphql/wiring.py` by the rooms that know."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from lms_graphql.mail.messages import RenderedMail
from lms_graphql.mail.models import Mail


@dataclass(frozen=True)
class FrontendUrls:
    """Addresses of the front end, below its public address."""

    base: str

    def to(self, path: str, **parameters: str) -> str:
        address = self.base.rstrip("/") + path
        return f"{address}?{urlencode(parameters)}" if parameters else address


Template = Callable[[Session, Mail, FrontendUrls], RenderedMail | None]
"""
Runs in a transaction of its own when the mail is sent, and again at every further try: there it makes the token that
goes into the letter, so that the outbox never holds one. None where there is nobody to write to any more.
"""

TEMPLATES: dict[str, Template] = {}
