"""Messages: a mail rendered as plain text and HTML, and its MIME form."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from typing import NamedTuple

import idna

from lms_graphql.core import clock

MAX_NAME_LENGTH = 60
MAX_LINE_LENGTH = 998
"""Longest line that a mail server must accept (RFC 5321)."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
QUOTED_ONLY = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\"(),:;<>@\[\\\]]")
"""Characters that an email address may contain only in quotes. Such addresses are not used in practice: invalid."""
ENCODED_WORD_START = re.compile(r"=\?(?=.*\?=)")
"""Start of what may be an encoded word (RFC 2047), such as `=?utf-8?q?=0a?=`."""
LINK_PARTS = re.compile(r"[:/@]|\.(?=\S)")
"""Characters by which mail programs recognize a link."""

HTML_LAYOUT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{subject}</title></head>
<body style="margin:0;padding:24px;background:#f4f4f5;color:#18181b;font:16px/1.5 system-ui,sans-serif">
<div style="max-width:560px;margin:0 auto;padding:32px;background:#ffffff;border-radius:8px">
{content}
</div></body></html>
"""
HTML_END = "</div></body></html>\n"
HTML_SIGNATURE = '<p style="margin:24px 0 0;font-size:14px;color:#52525b">{signature}</p>\n'
HTML_BUTTON = """<p style="margin:24px 0"><a href="{url}" style="display:inline-block;padding:12px 24px;\
background:#1d4ed8;color:#ffffff;border-radius:6px;text-decoration:none">{label}</a></p>
<p style="margin:0 0 16px;font-size:14px;color:#52525b">If the button does not work, open this link:<br>
<a href="{url}" style="color:#1d4ed8;word-break:break-all">{url}</a></p>"""

HTML_FACTS = '<table style="margin:0 0 16px;border-collapse:collapse">\n{rows}\n</table>'
HTML_FACT = """<tr><td style="padding:4px 24px 4px 0;vertical-align:top;color:#52525b">{label}</td>\
<td style="padding:4px 0;white-space:pre-line">{value}</td></tr>"""


class Fact(NamedTuple):
    """A line of a table in a mail, such as an amount. The value may have several lines."""

    label: str
    value: str


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
    """Return a greeting by name, without anything that a mail program would make a link.

    Users choose their names freely, and the mail may go to another person.
    """
    without_links = LINK_PARTS.sub(" ", CONTROL.sub(" ", name))
    display_name = " ".join(without_links.split())[:MAX_NAME_LENGTH].strip()
    return f"Hello {display_name}," if display_name else "Hello,"


def render(
    to: str,
    subject: str,
    greeting: str,
    paragraphs: Sequence[str],
    button: Button | None = None,
    facts: Sequence[Fact] = (),
) -> RenderedMail:
    """Render a mail as plain text and as HTML. The facts and then the button are placed below the paragraphs."""
    if button is not None and not button.url.startswith(("https://", "http://")):
        raise ValueError("The URL of a button must begin with https:// or http://.")
    body = [greeting, *paragraphs]
    text = [*body]
    content = [f'<p style="margin:0 0 16px">{html.escape(paragraph)}</p>' for paragraph in body]
    if facts:
        text.append("\n".join(f"{fact.label}: {fact.value.replace(chr(10), chr(10) + '  ')}" for fact in facts))
        rows = [HTML_FACT.format(label=html.escape(fact.label), value=html.escape(fact.value)) for fact in facts]
        content.append(HTML_FACTS.format(rows="\n".join(rows)))
    if button:
        text.append(f"{button.label}:\n{button.url}")
        content.append(HTML_BUTTON.format(url=html.escape(button.url), label=html.escape(button.label)))
    page = HTML_LAYOUT.format(subject=html.escape(subject), content="\n".join(content))
    return RenderedMail(to, subject, "\n\n".join(text) + "\n", page)


def signed(mail: RenderedMail, signature: str) -> RenderedMail:
    """Return the mail with a last line, such as the name of the platform."""
    page = mail.html.removesuffix(HTML_END) + HTML_SIGNATURE.format(signature=html.escape(signature)) + HTML_END
    return replace(mail, text=f"{mail.text}\n{signature}\n", html=page)


def to_mime(mail: RenderedMail, sender: str) -> EmailMessage:
    """Return the MIME message. `sender` is an address or `Name <address>`.

    Raise ValueError if the recipient's or sender's address is invalid.
    """
    message = EmailMessage()
    message["From"] = _parse_sender(sender)
    message["To"] = _parse_address(mail.to)
    message["Subject"] = _subject_line(mail.subject)
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = make_msgid(domain=_parse_sender(sender).domain)
    message["Auto-Submitted"] = "auto-generated"  # so that no out-of-office reply answers it
    message.set_content(mail.text, cte=_transfer_encoding(mail.text))
    message.add_alternative(mail.html, subtype="html", cte=_transfer_encoding(mail.html))
    return message


def _subject_line(text: str) -> str:
    """Return a subject in one line, without anything that the library would decode.

    It decodes encoded words in what we pass, and writes the line breaks in them as they are. Users could add
    headers and a body by the titles of their courses.
    """
    return ENCODED_WORD_START.sub("= ?", " ".join(CONTROL.sub(" ", text).split()))


def _transfer_encoding(text: str) -> str | None:
    """Return 7bit if possible, so that links can be copied out of the source, else None: the library's choice."""
    is_plain = text.isascii() and max(map(len, text.splitlines()), default=0) <= MAX_LINE_LENGTH
    return "7bit" if is_plain else None


def _parse_sender(sender: str) -> Address:
    name, address = parseaddr(sender)
    return Address(" ".join(CONTROL.sub(" ", name).split()), addr_spec=_parse_address(address).addr_spec)


def _parse_address(text: str) -> Address:
    """Parse exactly one address. Line breaks and lists are invalid. The error does not repeat the text."""
    local, _, domain = text.rpartition("@")
    try:
        # As accounts store it. Python's own codec is IDNA 2003, which turns ß into ss.
        domain = idna.encode(domain, uts46=True).decode()
        address = Address(addr_spec=f"{local}@{domain}") if local.isascii() else Address("", local, domain)
    except Exception:  # the parsers raise many kinds of errors on invalid addresses
        raise ValueError("This is not an email address.") from None
    if QUOTED_ONLY.search(local) or not address.username or not address.domain:
        raise ValueError("This is not an email address.")
    return address
