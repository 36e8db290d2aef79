"""URLs of the service and of the front end: links lead to where `serve` listens, unless settings say otherwise."""

import os
import re
import time
from email import message_from_bytes, policy
from pathlib import Path

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


def pdf_url(folder: Path, **environment: str) -> tuple[str, str]:
    """Serve a database with one certificate. Return the URL of the service and the link to the PDF."""
    with run_cluster(folder, f"sqlite:///{folder}/lms.db", 1, **environment) as cluster:
        make = Factories(cluster.database)
        make.certificate(make.user(), make.course())
        bearer = cluster.access_token(make.user(Role.SUPER_ADMIN))
        (url,) = cluster.urls
        headers = {"authorization": f"Bearer {bearer}"}
        response = httpx.post(f"{url}/graphql", json={"query": PDF_URLS}, headers=headers, timeout=30)
        users = response.json()["data"]["users"]["nodes"]
        (link,) = [certificate["pdfUrl"] for user in users for certificate in user["certificates"]["nodes"]]
        if "LMS_SERVICE_URL" not in environment:
            assert httpx.get(link).headers["content-type"] == "application/pdf"
        return url, link


@pytest.mark.slow
def test_links_to_pdfs_lead_to_the_port_of_serve(tmp_path: Path) -> None:
    url, link = pdf_url(tmp_path, LMS_PUBLIC_URL="https://learn.example.com")
    assert link.startswith(f"{url}/certificates/")


@pytest.mark.slow
def test_service_url_overrides_the_port_of_serve(tmp_path: Path) -> None:
    _, link = pdf_url(tmp_path, LMS_SERVICE_URL="https://api.example.com/lms/")
    assert link.startswith("https://api.example.com/lms/certificates/")


def reset_link(folder: Path, **environment: str) -> tuple[str, str]:
    """Request a password reset. Return the URL of the service and the link in the mail."""
    with run_cluster(folder, f"sqlite:///{folder}/lms.db", 1, **environment) as cluster:
        user = Factories(cluster.database).user_with_password()
        body = {"query": REQUEST_RESET, "variables": {"email": user.email}}
        httpx.post(f"{cluster.urls[0]}/graphql", json=body, timeout=30)
        deadline = time.monotonic() + 60
        while not (files := list(folder.glob("mail/*.eml"))):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        plain = message_from_bytes(files[0].read_bytes(), policy=policy.default).get_body(("plain",))
        assert plain is not None
        (link,) = re.findall(r"\S+/reset-password\?\S+", plain.get_content())
        return cluster.urls[0], str(link)


@pytest.mark.slow
def test_links_in_mails_lead_to_the_port_of_serve_in_development(tmp_path: Path) -> None:
    url, link = reset_link(tmp_path)
    assert link.startswith(f"{url}/reset-password?")


@pytest.mark.slow
def test_public_url_overrides_the_port_of_serve(tmp_path: Path) -> None:
    _, link = reset_link(tmp_path, LMS_PUBLIC_URL="https://learn.example.com")
    assert link.startswith("https://learn.example.com/reset-password?")


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
