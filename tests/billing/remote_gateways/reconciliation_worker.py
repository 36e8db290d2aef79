"""A process that reconciles payments once for each line on stdin, and prints the number of events."""

import os
import sys
from pathlib import Path

from lms_graphql import wiring
from lms_graphql.billing.services.gateway_calls import PaymentResources
from lms_graphql.billing.services.reconciliation import reconcile_checkouts
from lms_graphql.core.database import Database
from lms_graphql.core.signing import Signer
from lms_graphql.json_logging import configure_logging
from lms_graphql.settings import load_settings


def main() -> None:
    configure_logging(sys.stderr)
    wiring.register_hooks()
    settings = load_settings(os.environ, dotenv=Path("/nowhere"))
    database = Database(settings.url)
    assert settings.secret_key is not None
    resources = PaymentResources.create(database, settings, Signer(settings.secret_key))
    for _ in sys.stdin:
        print(reconcile_checkouts(resources), flush=True)
    database.dispose()


if __name__ == "__main__":
    main()
