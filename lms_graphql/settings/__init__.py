"""Settings: the environment and the .env file, read once, validated and immutable."""

from lms_graphql.settings.gateways import GatewayName
from lms_graphql.settings.http import DocumentChoice
from lms_graphql.settings.loading import load_settings
from lms_graphql.settings.model import (
    DATABASE_VARIABLES,
    PREFIX,
    SESSION_SETTINGS_KEY,
    Environment,
    ExecutorChoice,
    Settings,
    settings_of,
)

__all__ = [
    "DATABASE_VARIABLES",
    "PREFIX",
    "SESSION_SETTINGS_KEY",
    "DocumentChoice",
    "Environment",
    "ExecutorChoice",
    "GatewayName",
    "Settings",
    "load_settings",
    "settings_of",
]
