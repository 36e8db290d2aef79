"""The gateways that are switched on, by payment method."""

from collections.abc import Callable, Mapping

from lms_graphql.billing.gateways.bank_transfer import BankTransferGateway
from lms_graphql.billing.gateways.fake import FakeGateway
from lms_graphql.billing.gateways.interface import Gateway
from lms_graphql.billing.models import PaymentMethod
from lms_graphql.core.database import Database
from lms_graphql.core.signing import Signer
from lms_graphql.settings import Settings

Adapter = Callable[[Settings, Database, Signer], Gateway]

_ADAPTERS: Mapping[PaymentMethod, Adapter] = {
    PaymentMethod.BANK_TRANSFER: lambda settings, database, signer: BankTransferGateway(),
    PaymentMethod.FAKE: FakeGateway.create,
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
