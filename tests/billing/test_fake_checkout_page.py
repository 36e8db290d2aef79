"""The checkout page of the fake gateway: its states, its headers, and a browser without JavaScript."""

from datetime import timedelta
from urllib.parse import unquote

import pytest
from sqlalchemy import update

from lms_graphql.billing.models import FakePayment
from lms_graphql.core import clock
from lms_graphql.settings import Settings
from tests.billing.billing_client import FakeGatewayClient
from tests.billing.conftest import Shop
from tests.browser import run_chromium
from tests.live_service import LogCapture, run_service

sqlite_only = pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)


@sqlite_only
def test_page_shows_the_payment_and_its_end(shop: Shop) -> None:
    course = shop.make.course('Ants & <b>"Bees"</b>', price=123456)
    url = shop.buyer.purchase(course)["checkoutUrl"]
    page = shop.gateway.page(url)
    assert page.status_code == 200
    for text in ("Ants &amp; &lt;b&gt;", "1,234.56 USD", 'value="pay"', 'value="decline"', "no money moves"):
        assert text in page.text, text
    assert "<script" not in page.text
    policy = page.headers["content-security-policy"]
    public_url = shop.service.resources.settings.public_url
    assert (
        f"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self' {public_url}" in policy
    )
    assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "no-referrer")
    for content in (b"", b"outcome=free", b"outcome=" + b"x" * 2_000, b"\xff\xfe"):
        assert shop.client.send("POST", url, content=content).status_code == 400
    assert [shop.gateway.settle(url).status_code for _ in range(2)] == [303, 303]
    assert shop.gateway.settle(url, "decline").status_code == 303  # too late: it is paid
    assert "This payment is done" in shop.gateway.page(url).text
    assert shop.buyer.access(course) == ("ACTIVE", "PURCHASE")
    declined = shop.buyer.purchase(shop.course)["checkoutUrl"]
    shop.gateway.settle(declined, "decline")
    assert "was declined" in shop.gateway.page(declined).text
    unknown = url.rpartition("/")[0] + "/unknown"
    assert [shop.gateway.page(unknown).status_code, shop.gateway.settle(unknown).status_code] == [404, 404]


@sqlite_only
def test_return_page_of_a_missing_front_end_says_what_follows(shop: Shop) -> None:
    page = shop.gateway.page("/checkout/return?transaction=VHJh%3Cb%3E")
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    assert "Here your front end goes on" in page.text
    assert "<code>VHJh&lt;b&gt;</code>" in page.text
    assert shop.gateway.page("/checkout/return").status_code == 200


@sqlite_only
def test_expired_page_cannot_be_paid(shop: Shop) -> None:
    url = shop.buyer.purchase(shop.course)["checkoutUrl"]
    over = update(FakePayment).values(expires_at=clock.now() - timedelta(seconds=1))
    shop.service.database.write_sync(lambda session: session.execute(over) and None)
    assert "has expired" in shop.gateway.page(url).text
    answer = shop.gateway.settle(url)
    assert (answer.status_code, "has expired" in answer.text) == (410, True)
    assert shop.buyer.access(shop.course) is None


@sqlite_only
def test_buyer_returns_although_the_webhook_is_lost(
    service_settings: Settings, shop: Shop, captured_log: LogCapture
) -> None:
    url = shop.buyer.purchase(shop.course)["checkoutUrl"]
    unreachable = service_settings.model_copy(update={"service_url": "http://127.0.0.1:9/"})
    with run_service(unreachable) as other:
        browser = FakeGatewayClient.of(other)
        answer = browser.settle(url.replace(shop.service.url, other.url))
        browser.close()
    assert answer.status_code == 303
    assert "fake_webhook_not_delivered" in captured_log.text
    assert shop.buyer.access(shop.course) is None  # reconciliation finds the payment


@pytest.mark.slow
@sqlite_only
def test_buyer_pays_in_a_browser_without_javascript(shop: Shop) -> None:
    """Chromium applies `form-action` to the redirect, too, so a wrong policy would keep the buyer on the page."""
    purchase = shop.buyer.purchase(shop.course)
    with run_chromium() as chromium:
        page = chromium.new_context(java_script_enabled=False).new_page()
        page.goto(purchase["checkoutUrl"])
        assert page.get_by_role("heading").inner_text() == shop.course.row.title
        with page.expect_request(lambda request: "/checkout/return" in request.url) as returned:
            page.get_by_role("button", name="Pay 19.99 USD").click(no_wait_after=True)
        assert unquote(returned.value.url).endswith(f"?transaction={purchase['transaction']['id']}")
    assert shop.buyer.transaction(purchase["transaction"]["id"])["status"] == "COMPLETED"
