"""Adapters that need a package of an extra."""

import sys

import pytest

from tests.cli import RunCli, assert_one_line_error

STRIPE = {"LMS_STRIPE_SECRET_KEY": "sk_test_1", "LMS_STRIPE_WEBHOOK_SECRET": "whsec_1"}
PAYPAL = {"LMS_PAYPAL_CLIENT_ID": "c", "LMS_PAYPAL_CLIENT_SECRET": "s", "LMS_PAYPAL_WEBHOOK_ID": "w"}


@pytest.mark.parametrize(
    ("gateway", "module", "package", "secrets"),
    [("stripe", "stripe", "stripe", STRIPE), ("paypal", "paypal_client", "httpx", PAYPAL)],
)
def test_serve_names_the_extra_of_a_gateway_whose_package_is_missing(
    run_cli: RunCli,
    monkeypatch: pytest.MonkeyPatch,
    gateway: str,
    module: str,
    package: str,
    secrets: dict[str, str],
) -> None:
    for name in (gateway, module):
        monkeypatch.delitem(sys.modules, f"lms_graphql.billing.gateways.{name}", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    result = run_cli("serve", LMS_PAYMENT_GATEWAYS=gateway, **secrets)
    assert_one_line_error(result, f"pip install 'lms-graphql[{gateway}]'")
