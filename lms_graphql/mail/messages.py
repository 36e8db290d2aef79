"""Letters: what is said to whom, as plain text and as HTML, and as a message that can be sent."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from typing import NamedTuple

import idna

from lms_graphql.core import clock

NAME_LENGTH = 60
LINE_LENGTH = 998
"""What a mail server must take."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
UNQUOTED = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\"(),:;<>@\[\\\]]")
"""What stands in no address without quotes. One with quotes is nobody's."""
LINK_PARTS = re.compile(r"[:/@]|\.(?=\S)")

HTML_LAYOUT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{subject}</title></head>
<body style="margin:0;padding:24px;background:#f4f4f5;color:#18181b;font:16px/1.5 system-ui,sans-serif">
<div style="max-width:560px;margin:0 auto;padding:32px;background:#ffffff;border-radius:8px">
{content}
</div></body></html>
"""
HTML_BUTTON = """<p style="margin:24px 0"><a href="{url}" style="display:inline-block;padding:12px 24px;\
background:#1d4ed8;color:#ffffff;border-radius:6px;text-decoration:none">{label}</a></p>
<p style="margin:0 0 16px;font-size:14px;color:#52525b">If the button does not work, open this address:<br>
<a href="{url}" style="color:#1d4ed8;word-break:break-all">{url}</a></p>"""


class Button(NamedTuple):
    label: str
    url: str


@dataclass(frozen=True)
class RenderedMail:
    to: str
    subject: str
    text: str
    html: str


def greeting_line(name: str) -> str:
    """
    A greeting. The name is what anyone typed, and the letter may go to somebody else: nothing stays in it that a mail
    program would make a link of.
    """
    shown = " ".join(LINK_PARTS.sub(" ", CONTROL.sub(" ", name)).split())[:NAME_LENGTH].strip()
    return f"Hello {shown}," if shown else "Hello,"


def render(
    to: str, subject: str, greeting: str, paragraphs: Sequence[str], button: Button | None = None
) -> RenderedMail:
    """The same in plain text and in HTML; the button stands below the paragraphs."""
    if button is not None and not button.url.startswith(("https://", "http://")):
        raise ValueError("A button leads to a web address.")
    said = [greeting, *paragraphs]
    text = [*said, f"{button.label}:\n{button.url}"] if button else said
    content = [f'<p style="margin:0 0 16px">{html.escape(paragraph)}</p>' for paragraph in said]
    if button:
        content.append(HTML_BUTTON.format(url=html.escape(button.url), label=html.escape(button.label)))
    page = HTML_LAYOUT.format(subject=html.escape(subject), content="\n".join(content))
    return RenderedMail(to, subject, "\n\n".join(text) + "\n", page)


def to_mime(letter: RenderedMail, sender: str) -> EmailMessage:
    """A message from `sender`, e.g. `Name <address>`. ValueError where an address is none."""
    message = EmailMessage()
    message["From"] = _from(sender)
    message["To"] = _address(letter.to)
    message["Subject"] = " ".join(CONTROL.sub(" ", letter.subject).split())
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = make_msgid(domain=_from(sender).domain)
    message["Auto-Submitted"] = "auto-generated"  # so that nobody's holiday notice answers it
    message.set_content(letter.text, cte=_encoding(letter.text))
    message.add_alternative(letter.html, subtype="html", cte=_encoding(letter.html))
    return message


def _encoding(text: str) -> str | None:
    """As it is where that may be, so that a link can be copied out of the file; else whatever keeps it whole."""
    is_plain = text.isascii() and max(map(len, text.splitlines()), default=0) <= LINE_LENGTH
    return "7bit" if is_plain else None


def _from(sender: str) -> Address:
    name, address = parseaddr(sender)
    return Address(" ".join(CONTROL.sub(" ", name).split()), addr_spec=_address(address).addr_spec)


def _address(text: str) -> Address:
    """One address and nothing else: what ends a line, or lists several, is refused, and not repeated."""
    local, _, domain = text.rpartition("@")
    try:
        domain = idna.encode(domain, uts46=True).decode()  # as accounts know it; Python's own makes ß ss
        address = Address(addr_spec=f"{local}@{domain}") if local.isascii() else Address("", local, domain)
    except Exception:  # the parsers fail in several ways on what is no address
        raise ValueError("This is no mail address.") from None
    if UNQUOTED.search(local) or not address.username or not address.domain:
        raise ValueError("This is no mail address.")
    return address
