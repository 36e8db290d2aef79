"""URLs of the service and of the front end: links lead to where `serve` listens, unless settings say otherwise."""

import os
import re
import time
from email import message_from_bytes, policy
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from lms_graphql.cli import serve
from lms_graphql.core.actor import Role
from lms_graphql.settings import load_settings
from tests.factories import Factories
from tests.processes import run_cluster

LOCAL_URL = "http://127.0.0.1:9000"
PDF_URLS = "{ users { nodes { certificates { nodes { pdfUrl } } } } }"
REQUEST_RESET = "mutation ($email: String!) { requestPasswordReset(input: {email: $email}) { ok } }"


class Links(NamedTuple):
    """The URL of a service, and the links that it makes."""

    service: str
    pdf: str
    mail: str


def links(folder: Path, **environment: str) -> Links:
    """Serve a database with one certificate. Return the link to its PDF and that in the mail of a password reset."""
    with run_cluster(folder, f"sqlite:///{folder}/lms.db", 1, **environment) as cluster:
        make, (url,) = Factories(cluster.database), cluster.urls
        learner = make.user_with_password()
        make.certificate(learner, make.course())
        headers = {"authorization": f"Bearer {cluster.access_token(make.user(Role.SUPER_ADMIN))}"}
        response = httpx.post(f"{url}/graphql", json={"query": PDF_URLS}, headers=headers, timeout=30)
        users = response.json()["data"]["users"]["nodes"]
        (pdf,) = [certificate["pdfUrl"] for user in users for certificate in user["certificates"]["nodes"]]
        if pdf.startswith(url):
            assert httpx.get(pdf).headers["content-type"] == "application/pdf"
        body = {"query": REQUEST_RESET, "variables": {"email": learner.email}}
        httpx.post(f"{url}/graphql", json=body, timeout=30)
        return Links(url, pdf, link_in_mail(folder))


def link_in_mail(folder: Path) -> str:
    """Wait for a mail, and return the link to reset the password."""
    deadline = time.monotonic() + 60
    while not (files := list(folder.glob("mail/*.eml"))):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    plain = message_from_bytes(files[0].read_bytes(), policy=policy.default).get_body(("plain",))
    assert plain is not None
    (link,) = re.findall(r"\S+/reset-password\?\S+", plain.get_content())
    return str(link)


@pytest.mark.slow
def test_links_lead_to_the_port_of_serve_in_development(tmp_path: Path) -> None:
    service, pdf, mail = links(tmp_path)
    assert pdf.startswith(f"{service}/certificates/")
    assert mail.startswith(f"{service}/reset-password?")


@pytest.mark.slow
def test_urls_in_settings_override_the_port_of_serve(tmp_path: Path) -> None:
    _, pdf, mail = links(
        tmp_path, LMS_SERVICE_URL="https://api.example.com/lms/", LMS_PUBLIC_URL="https://learn.example.com"
    )
    assert pdf.startswith("https://api.example.com/lms/certificates/")
    assert mail.startswith("https://learn.example.com/reset-password?")


@pytest.mark.parametrize(
    ("environment", "set_names", "warned_names"),
    [
        ({}, {"LMS_SERVICE_URL", "LMS_PUBLIC_URL"}, []),
        ({"LMS_ENV": "production"}, {"LMS_SERVICE_URL"}, ["LMS_SERVICE_URL", "LMS_PUBLIC_URL"]),
        ({"LMS_ENV": "production", "LMS_PUBLIC_URL": "https://e.org"}, {"LMS_SERVICE_URL"}, ["LMS_SERVICE_URL"]),
        ({"LMS_ENV": "production", "LMS_SERVICE_URL": "https://e.org"}, set(), ["LMS_PUBLIC_URL"]),
    ],
)
def test_missing_urls_are_set_or_warned_about(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    environment: dict[str, str],
    set_names: set[str],
    warned_names: list[str],
) -> None:
    variables: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", variables)
    serve.set_default_urls(load_settings(environment, Path("/nowhere")), LOCAL_URL)
    assert variables == dict.fromkeys(set_names, LOCAL_URL)
    assert re.findall(r"^(\w+) is not set, so links", capsys.readouterr().err, re.MULTILINE) == warned_names
