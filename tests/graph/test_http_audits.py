"""Audits of the GraphQL-over-HTTP specification."""

import json

import pytest

from tests import node
from tests.live_service import Service

pytestmark = [pytest.mark.slow, pytest.mark.sqlite_only]


def test_all_audits_pass(service: Service) -> None:
    result = node.run("node", "audits.js", f"{service.url}/graphql", "--json")
    assert result.returncode in {0, 1}, result.stderr
    report = json.loads(result.stdout)
    assert [audit for audit in report["audits"] if audit["status"] != "ok"] == []
    assert report["ok"] == report["total"] == 61
