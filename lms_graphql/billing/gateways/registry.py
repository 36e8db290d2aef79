"""The gateways that are switched on, by payment method."""

from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType

from lms_graphql.billing.gateways.bank_transfer import BankTransferGateway
from lms_graphql.billing.gateways.fake import FakeGateway
from lms_graphql.billing.gateways.interface import Gateway
from lms_graphql.billing.models import PaymentMethod
from lms_graphql.core.database import Database
from lms_graphql.core.errors import OperatorError
from lms_graphql.core.signing import Signer
from lms_graphql.settings import Settings

Adapter = Callable[[Settings, Database, Signer], Gateway]

PACKAGES = {PaymentMethod.PAYPAL: "httpx", PaymentMethod.STRIPE: "stripe"}
"""Package that an adapter needs, and that only the extra named like its payment method installs."""


def require_packages(settings: Settings) -> None:
    """Raise OperatorError if the package of a gateway that is switched on is missing."""
    for method in _methods_with_gateway(settings):
        if method in PACKAGES:
            _adapter_module(method)


def _adapter_module(method: PaymentMethod) -> ModuleType:
    """Import the adapter. Raise OperatorError if its package is missing."""
    try:
        return import_module(f"lms_graphql.billing.gateways.{method.value}")
    except ModuleNotFoundError as error:
        if error.name != PACKAGES[method]:
            raise
        command = f"pip install 'lms-graphql[{method.value}]'"
        message = f"The gateway {method.value} needs the package {PACKAGES[method]}. Install it: {command}"
        raise OperatorError(message) from None


def _create_optional(method: PaymentMethod) -> Adapter:
    def create(settings: Settings, database: Database, signer: Signer) -> Gateway:
        gateway: Gateway = _adapter_module(method).create(settings)
        return gateway

    return create


_ADAPTERS: Mapping[PaymentMethod, Adapter] = {
    PaymentMethod.BANK_TRANSFER: lambda settings, database, signer: BankTransferGateway(),
    PaymentMethod.FAKE: FakeGateway.create,
    PaymentMethod.PAYPAL: _create_optional(PaymentMethod.PAYPAL),
    PaymentMethod.STRIPE: _create_optional(PaymentMethod.STRIPE),
}


def enabled_methods(settings: Settings) -> frozenset[PaymentMethod]:
    """Return the payment methods that buyers may choose. FREE needs no gateway and is always among them."""
    return frozenset({PaymentMethod.FREE, *_methods_with_gateway(settings)})


def create_gateways(settings: Settings, database: Database, signer: Signer) -> Mapping[PaymentMethod, Gateway]:
    """Return the adapter of each gateway that is switched on. Creating them is cheap."""
    return {method: _ADAPTERS[method](settings, database, signer) for method in _methods_with_gateway(settings)}


def _methods_with_gateway(settings: Settings) -> list[PaymentMethod]:
    methods = [PaymentMethod(gateway.value) for gateway in settings.enabled_gateways]
    return [method for method in methods if method in _ADAPTERS]
