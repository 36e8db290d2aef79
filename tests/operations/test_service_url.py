"""URL of the service: links to PDFs lead to where `serve` listens, unless `LMS_SERVICE_URL` says otherwise."""

from pathlib import Path

import httpx
import pytest

from lms_graphql.core.actor import Role
from tests.factories import Factories
from tests.processes import run_cluster

PDF_URLS = "{ users { nodes { certificates { nodes { pdfUrl } } } } }"


def pdf_url(folder: Path, **environment: str) -> tuple[str, str]:
    """Serve a database with one certificate. Return the URL of the service and the link to the PDF."""
    with run_cluster(folder, f"sqlite:///{folder}/lms.db", 1, **environment) as cluster:
        make = Factories(cluster.database)
        make.certificate(make.user(), make.course())
        bearer = cluster.access_token(make.user(Role.SUPER_ADMIN))
        (url,) = cluster.urls
        headers = {"authorization": f"Bearer {bearer}"}
        response = httpx.post(f"{url}/graphql", json={"query": PDF_URLS}, headers=headers)
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
