"""Entry point of a server process: the application with the settings of the environment.

It also works as `uvicorn --factory lms_graphql.asgi:app`.
"""

import gc
import sys

from starlette.applications import Starlette

from lms_graphql import settings
from lms_graphql.app import create_app
from lms_graphql.core.cpu_affinity import CpuAffinityChoice, stay_on_one_cpu
from lms_graphql.core.errors import OperatorError
from lms_graphql.json_logging import configure_logging
from lms_graphql.operations.production_checks import require_changed_seed_passwords, require_production_settings
from lms_graphql.worker_processes import stop_with_supervisor

GC_THRESHOLD = 50_000
"""New objects between two garbage collections.

A response of thousands of rows would otherwise start dozens of collections that find nothing.
"""


def app() -> Starlette:
    """Return the application. Exit with status 1, or with 3 if the configuration is unsafe in production."""
    configure_logging()
    stop_with_supervisor()
    try:
        configuration = settings.load_settings()
        require_production_settings(configuration)
        require_changed_seed_passwords(configuration)
        application = create_app(configuration)
    except OperatorError as error:
        sys.stderr.write(f"lms-graphql: {error}\n")
        sys.exit(error.exit_code)
    if configuration.cpu_affinity is CpuAffinityChoice.AUTO:
        stay_on_one_cpu()
    gc.collect()
    gc.freeze()  # because the schema and the models live as long as the process: collections skip them
    gc.set_threshold(GC_THRESHOLD, 20, 50)
    gc.enable()  # because `serve` disables it until here
    return application
