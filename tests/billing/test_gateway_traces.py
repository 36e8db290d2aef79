"""Spans of calls of payment gateways."""

import asyncio

import pytest

from lms_graphql.billing.services.gateway_calls import call
from lms_graphql.core import tracing
from tests.billing.gateway_adapters import Adapter
from tests.billing.gateway_requests import checkout_request
from tests.trace_collector import run_collector


def test_calls_of_gateways_are_spans_without_their_data(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    with run_collector() as collector:
        for name, value in collector.variables.items():
            monkeypatch.setenv(name, value)
        tracing.start()
        try:
            with tracing.task_span("purchase"):
                asyncio.run(call(adapter.gateway.create_checkout, checkout_request()))
        finally:
            tracing.stop()
    (purchase,) = (span for span in collector.spans if span.name == "purchase")
    calls = collector.children(purchase)
    assert len(calls) == len(adapter.double.requests) > 0
    port = int(adapter.double.url.rsplit(":")[-1])
    attributes = {"server.address": "127.0.0.1", "server.port": port, "http.request.method": "POST"}
    for span in calls:
        status = span.attributes["http.response.status_code"]
        assert status in {200, 201}
        assert (span.name, span.kind) == ("POST", "CLIENT")
        assert span.attributes == {**attributes, "http.response.status_code": status}
