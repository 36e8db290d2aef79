"""Settings of payment gateways: which are on, and the accounts there."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, field_validator, model_validator
from pydantic_settings import NoDecode

from lms_graphql.settings import validation

ApiUrl = Annotated[str, AfterValidator(validation.api_url)]


class GatewayName(StrEnum):
    FAKE = "fake"
    BANK_TRANSFER = "bank_transfer"
    STRIPE = "stripe"
    PAYPAL = "paypal"


NEEDED_SETTINGS = {
    GatewayName.STRIPE: ("stripe_secret_key", "stripe_webhook_secret"),
    GatewayName.PAYPAL: ("paypal_client_id", "paypal_client_secret", "paypal_webhook_id"),
}


class GatewaySettings(BaseModel):
    """The part of the settings that describes payment gateways."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    payment_gateways: Annotated[tuple[GatewayName, ...] | None, NoDecode] = None
    """
    Payment gateways, separated by commas: `fake`, `bank_transfer`, `stripe`, `paypal`. If unset, `fake,bank_transfer`
    in development and none in production. Anyone can “pay” with `fake`, so every course is free with it.
    """
    stripe_secret_key: Annotated[str, AfterValidator(validation.stripe_secret_key)] | None = None
    """Secret or restricted key of the Stripe account: `sk_…` or `rk_…`. The gateway `stripe` needs it."""
    stripe_webhook_secret: Annotated[str, AfterValidator(validation.stripe_webhook_secret)] | None = None
    """Signing secret of the webhook at Stripe: `whsec_…`. The gateway `stripe` needs it."""
    stripe_api_url: ApiUrl = "https://api.stripe.com"
    """URL of Stripe's API, for tests and for proxies."""
    paypal_client_id: str | None = None
    """Client id of the REST app at PayPal. The gateway `paypal` needs it."""
    paypal_client_secret: str | None = None
    """Secret of that app. The gateway `paypal` needs it."""
    paypal_webhook_id: str | None = None
    """Id of the webhook of that app. The gateway `paypal` needs it."""
    paypal_api_url: ApiUrl = "https://api-m.paypal.com"
    """URL of PayPal's API. That of the sandbox is `https://api-m.sandbox.paypal.com`."""

    split_gateways = field_validator("payment_gateways", mode="before")(validation.split_list)

    @model_validator(mode="after")
    def require_secrets(self) -> "GatewaySettings":
        for gateway in self.payment_gateways or ():
            for name in NEEDED_SETTINGS.get(gateway, ()):
                if not getattr(self, name):
                    raise ValueError(f"LMS_{name.upper()} is missing. The gateway {gateway} needs it")
        return self

    @property
    def test_account_settings(self) -> list[str]:
        """Return the names of settings with which payments are only pretended."""
        gateways = self.payment_gateways or ()
        is_test_key = (self.stripe_secret_key or "").startswith(("sk_test_", "rk_test_"))
        names = ["LMS_STRIPE_SECRET_KEY"] if GatewayName.STRIPE in gateways and is_test_key else []
        if GatewayName.PAYPAL in gateways and "sandbox" in self.paypal_api_url:
            names.append("LMS_PAYPAL_API_URL")
        return names
