"""Messages: no header, HTML or link injection, and valid addresses only."""

import email
import email.policy

import pytest

from lms_graphql.mail.messages import Button, greeting_line, render, signed, to_mime
from lms_graphql.mail.transports import SmtpTransport
from tests.mail_servers import SENDER, run_mail_server


@pytest.mark.parametrize(
    "name",
    [
        "Jane\r\nBcc: evil@example.com",
        "Jane\nX: 1\r\n\r\n<html>",
        "Jane\u2028Bcc: a@b.c",
        "=?utf-8?q?=0aBcc:_a@b.c?= Jane",
        "Jane =?utf-8?q?=0d=0a=0d=0aBody?= " + "Doe " * 40,
        "ü =?us-ascii?b?CkJjYzogYUBiLmM=?= =?",
    ],
)
def test_name_cannot_inject_headers(name: str) -> None:
    mail = render("jane@example.com", f"Welcome, {name}", greeting_line(name), ["Hi."])
    message = email.message_from_bytes(to_mime(mail, "Learn with Roko <a@b.example>").as_bytes())
    assert sorted(message.keys()) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
    )
    assert message.get_content_type() == "multipart/alternative"


def test_encoded_word_in_subject_is_not_decoded() -> None:
    mail = render("jane@example.com", "Is 1 =? 2, or =?utf-8?q?=0a?=", "Hello,", [])
    message = email.message_from_bytes(to_mime(mail, SENDER).as_bytes(), policy=email.policy.default)
    assert message["Subject"] == "Is 1 = ? 2, or = ?utf-8?q?=0a?="


def test_html_is_escaped_and_greeting_contains_no_link() -> None:
    script_tag = '<script>alert("1")</script>'
    mail = render(
        "a@b.example",
        script_tag,
        greeting_line("Win at https://evil.example/now"),
        [script_tag],
        Button(script_tag, 'http://x/"><i>'),
    )
    assert "<script>" not in mail.html
    assert '"><i>' not in mail.html
    assert script_tag in mail.text
    assert mail.text.startswith("Hello Win at https evil example now,")
    with pytest.raises(ValueError, match="URL of a button"):
        render("a@b.example", "x", "y", [], Button("Open", "javascript:alert(1)"))


@pytest.mark.parametrize(
    "text",
    ["", "jane", "@example.com", "jane@", "a@b.c, d@e.f", "a@b.c\nBcc: d@e.f", "ö x@b.c", "=?utf-8?q?jane?=@b.c"],
)
def test_invalid_email_is_rejected_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"^This is not an email address\.$"):
        to_mime(render(text, "Hi", "Hello,", []), SENDER)


def test_international_email_is_accepted() -> None:
    message = to_mime(render("jörg@exämple.de", "Grüße", greeting_line("Jörg"), ["…"]), SENDER)
    with run_mail_server(enable_SMTPUTF8=True) as (mailbox, url):
        SmtpTransport(url).send(message)
    assert mailbox.recipient_counts == {"jörg@xn--exmple-cua.de": 1}
    assert mailbox.received[0]["Subject"] == "Grüße"


def test_signature_is_the_last_line_and_escaped() -> None:
    mail = signed(render("a@b.example", "Hi", "Hello,", ["Welcome."]), "Acme <b>&</b> Co")
    assert mail.text.endswith("\n\nAcme <b>&</b> Co\n")
    assert mail.html.count("</html>") == 1
    assert (
        mail.html.index("Welcome.") < mail.html.index("Acme &lt;b&gt;&amp;&lt;/b&gt; Co") < mail.html.index("</body>")
    )
