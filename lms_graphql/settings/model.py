"""The settings: names, types, defaults, ranges and meanings.

The docstrings of the fields are the meanings in the table of `docs/operations.md`; `make settings-table` renews it.
"""

from decimal import Decimal
from email.utils import parseaddr, quote
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import Session

from lms_graphql.settings import validation
from lms_graphql.settings.caches import CacheSettings
from lms_graphql.settings.database import DatabaseSettings
from lms_graphql.settings.gateways import GatewayName, GatewaySettings
from lms_graphql.settings.http import HTTPSettings
from lms_graphql.settings.invitations import InvitationSettings
from lms_graphql.settings.metrics import MetricsSettings
from lms_graphql.settings.operator import OperatorSettings
from lms_graphql.settings.processes import ProcessSettings

PREFIX = "LMS_"
DATABASE_VARIABLES = ("DB_NAME", "DB_USER", "DB_PASSWORD", "DB_HOST", "DB_PORT")
DEFAULT_DATABASE = "sqlite:///lms.db"
DEFAULT_DATABASE_HOST, DEFAULT_DATABASE_PORT = "127.0.0.1", 3306


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class ExecutorChoice(StrEnum):
    """Executors of GraphQL operations: query plans, our reference executor, and graphql-core's own."""

    PLANS = "plans"
    REFERENCE = "reference"
    STANDARD = "standard"


def variable_of(field: str) -> str:
    """Return the name of a field in the environment."""
    name = field.upper()
    return name if name in DATABASE_VARIABLES else f"{PREFIX}{name}"


def _unprefixed(name: str) -> Any:
    return Field(default=None, validation_alias=AliasChoices(name))


class Settings(
    CacheSettings,
    DatabaseSettings,
    InvitationSettings,
    GatewaySettings,
    OperatorSettings,
    HTTPSettings,
    MetricsSettings,
    ProcessSettings,
    BaseSettings,
):
    """All settings. In the environment their names are in upper case and begin with LMS_, except those with DB_."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", populate_by_name=True, use_attribute_docstrings=True
    )

    db_name: str | None = _unprefixed("DB_NAME")
    """Database on a MySQL or MariaDB server. The other settings with `DB_` need it."""
    db_user: str | None = _unprefixed("DB_USER")
    """User of the database server."""
    db_password: str | None = _unprefixed("DB_PASSWORD")
    """Password of that user."""
    db_host: str | None = _unprefixed("DB_HOST")
    """Host of the database server; `127.0.0.1` if unset."""
    db_port: Annotated[int, Field(ge=1, le=validation.MAX_PORT)] | None = _unprefixed("DB_PORT")
    """Port of the database server; 3306 if unset."""
    database_url: Annotated[str, AfterValidator(validation.database)] | None = None
    """
    Database as a SQLAlchemy URL; overrides `DB_…`. If both are unset, it is the SQLite file `lms.db` in the current
    folder.
    """

    env: Environment = Environment.DEVELOPMENT
    """`production` turns off GraphiQL, introspection, suggestions and `db reset`, and requires safe settings."""
    secret_key: str | None = None
    """
    Key that signs access tokens, derives refresh tokens and hashes the keys of rate limits, equal in all processes.
    Production requires at least 32 random bytes. Development generates one and stores it in a file.
    """
    seed_password: Annotated[str, Field(min_length=10, max_length=256)] | None = None
    """Password of the three seed users; generated and printed once if unset."""
    public_url: Annotated[str, AfterValidator(validation.base_url)] = "http://127.0.0.1:8000"
    """
    URL of the front end: the links in mails, the verification pages of certificates and the page after a payment
    begin with it. If unset in development, it is where `serve` listens.
    """
    service_url: Annotated[str, AfterValidator(validation.base_url)] = "http://127.0.0.1:8000"
    """
    URL of this service: links to PDFs and demo files begin with it, and so do the URLs that payment gateways call. If
    unset, it is where `serve` listens.
    """
    site_name: Annotated[str, Field(max_length=60), AfterValidator(validation.site_name)] = "Learn with Roko"
    """Name of the platform: in PDFs, in mails, and for instructors whose accounts were deleted."""
    graphiql: bool | None = None
    """GraphiQL for browsers at `/graphql`; on in development and off in production if unset."""
    introspection: bool | None = None
    """Introspection of the schema by clients; on in development and off in production if unset."""
    smtp_url: Annotated[str, AfterValidator(validation.mail_server)] | None = None
    """Mail server as `smtp://user:password@host:587` or `smtps://…`, percent-encoded. See Mail if unset."""
    mail_from: Annotated[str, AfterValidator(validation.sender)] = "no-reply@learnwithroko.com"
    """Sender of all mail: `Name <address>`, or an address, whose name is then `LMS_SITE_NAME`."""
    currency: Annotated[str, AfterValidator(validation.currency)] = "USD"
    """Currency of new courses and price filters that name none."""

    access_token_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    """Lifetime of an access token."""
    refresh_token_days: Annotated[int, Field(ge=1, le=365)] = 30
    """Lifetime of a refresh token."""
    token_reuse_seconds: Annotated[int, Field(ge=0, le=300)] = 10
    """
    Time in which a used refresh token gives its successor again, and a used reset token accepts the same password
    again, in case the first answer was lost.
    """
    login_failures_per_account: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    """Failed logins of an account from one client network (IPv4 /24, IPv6 /64) within the window."""
    login_failures_per_account_total: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    """Failed logins of an account from all networks within the window."""
    login_failures_per_address: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    """
    Failed logins of a client network within the window. Reset requests, registrations with errors and unknown codes
    of PDFs have limits of the same size.
    """
    registrations_per_address: Annotated[int, Field(ge=1, le=1_000_000)] = 300
    """New accounts of a client network within the window."""
    login_window_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    """Length of the window of these limits."""
    username_change_days: Annotated[int, Field(ge=0, le=3650)] = 30
    """Days between two changes of a username by its user; 0 for no limit."""

    completion_watched_percent: Annotated[int, Field(ge=1, le=100)] = 90
    """Share of a video that must be watched to complete the lecture."""
    certificate_months: Annotated[int, Field(ge=1, le=1200)] | None = None
    """Months until a new certificate expires; never if unset."""

    pool_size: Annotated[int, Field(ge=1, le=100)] = 5
    """Database connections of a process for writing."""
    executor: ExecutorChoice = ExecutorChoice.PLANS
    """
    Executor of GraphQL operations. `plans` compiles each query once. `reference` and `standard` are slower, in case
    `plans` has a bug: our executor without plans, and graphql-core's own.
    """
    limit_header_bytes: Annotated[int, Field(ge=4_096, le=1_000_000)] = 65_536
    """Size of the request line and the headers of a request, together."""
    limit_headers: Annotated[int, Field(ge=20, le=10_000)] = 200
    """Number of headers of a request."""
    limit_header_seconds: Annotated[int, Field(ge=1, le=300)] = 10
    """Time for receiving the headers, since the client connected or since their first byte."""
    limit_waiting_connections: Annotated[int, Field(ge=10, le=100_000)] = 800
    """
    Connections of a process that wait for their clients: idle, or with an incomplete request or an unread response.
    If there are more, the one that has waited longest is closed.
    """
    limit_body_bytes: Annotated[int, Field(ge=1_000, le=10_000_000)] = 1_600_000
    """
    Size of a request body. The longest lecture fits, however its characters are escaped. The largest file of
    questions fits, also if line breaks, quotes and all characters beyond ASCII are escaped.
    """
    limit_json_depth: Annotated[int, Field(ge=4, le=500)] = 64
    """Nesting of the JSON in a request body."""
    limit_json_values: Annotated[int, Field(ge=100, le=1_000_000)] = 20_000
    """Number of values in the JSON of a request body."""
    limit_document_characters: Annotated[int, Field(ge=1_000, le=1_000_000)] = 100_000
    """Length of a GraphQL document."""
    limit_tokens: Annotated[int, Field(ge=100, le=100_000)] = 1_000
    """Number of tokens in a document."""
    limit_depth: Annotated[int, Field(ge=3, le=100)] = 12
    """Nesting of fields in a document. `edges`, `node`, `nodes` and `pageInfo` of connections do not count."""
    limit_aliases: Annotated[int, Field(ge=0, le=1_000)] = 30
    """Number of aliases in a document."""
    limit_root_fields: Annotated[int, Field(ge=1, le=1_000)] = 10
    """Number of root fields of a query."""
    limit_mutation_root_fields: Annotated[int, Field(ge=1, le=1_000)] = 25
    """Number of root fields of a mutation. They run one after the other, within `LMS_LIMIT_SECONDS` altogether."""
    limit_directives: Annotated[int, Field(ge=0, le=1_000)] = 20
    """Number of directives in a document."""
    limit_fragments: Annotated[int, Field(ge=0, le=1_000)] = 100
    """Number of fragments in a document."""
    limit_cost: Annotated[int, Field(ge=100, le=100_000_000)] = 50_000
    """Cost of a request with a token."""
    limit_cost_anonymous: Annotated[int, Field(ge=100, le=100_000_000)] = 10_000
    """Cost of a request without a token."""
    limit_seconds: Annotated[int, Field(ge=1, le=300)] = 10
    """Time for receiving a request, for authenticating it, and for executing it."""
    limit_in_flight: Annotated[int, Field(ge=1, le=100_000)] = 64
    """Requests that a process executes at once; more get 503."""
    limit_queue_milliseconds: Annotated[int, Field(ge=10, le=60_000)] = 500
    """
    Wait for a database thread above which new requests get 503. If only large queries wait, only they are rejected.
    """

    commission_rate: Annotated[Decimal, Field(ge=0, le=100, decimal_places=2)] = Decimal(70)
    """
    Instructor's share of new sales, in percent with at most two decimals. `setCommissionRate` sets the rate of one
    instructor. Each sale stores its rate, so a change does not affect earlier sales.
    """
    earnings_hold_days: Annotated[int, Field(ge=0, le=365)] = 30
    """Days after a sale until its earning becomes available for payouts."""
    payout_minimum: Annotated[Decimal, Field(ge=0, le=1_000_000)] = Decimal("50.00")
    """Smallest payout, in major units of each currency. A smaller balance waits for the next payout run."""
    refund_days: Annotated[int, Field(ge=0, le=3650)] = 30
    """Days after a payment within which learners can refund it themselves."""
    refund_max_progress: Annotated[int, Field(ge=0, le=100)] = 30
    """Progress in percent below which learners can refund a payment themselves."""
    attempt_grace_seconds: Annotated[int, Field(ge=0, le=300)] = 5
    """Seconds after the deadline of a quiz attempt within which answers still count, because networks are slow."""

    @model_validator(mode="after")
    def require_database_name(self) -> "Settings":
        if self.db_name is None and any((self.db_user, self.db_password, self.db_host, self.db_port)):
            raise ValueError("DB_NAME is missing. DB_USER, DB_PASSWORD, DB_HOST and DB_PORT need it")
        return self

    @property
    def url(self) -> URL:
        """Return the URL of the database: LMS_DATABASE_URL, else DB_…, else a SQLite file in the current folder."""
        if self.database_url is not None:
            return make_url(self.database_url)
        if self.db_name is None:
            return make_url(DEFAULT_DATABASE)
        return URL.create(
            "mysql+pymysql",
            username=self.db_user,
            password=self.db_password,
            host=self.db_host or DEFAULT_DATABASE_HOST,
            port=self.db_port or DEFAULT_DATABASE_PORT,
            database=self.db_name,
        )

    @property
    def sender(self) -> str:
        """Return the sender of all mail as `Name <address>`."""
        name, address = parseaddr(self.mail_from)
        return self.mail_from if name else f'"{quote(self.site_name)}" <{address}>'

    @property
    def is_production(self) -> bool:
        return self.env is Environment.PRODUCTION

    @property
    def enabled_gateways(self) -> tuple[GatewayName, ...]:
        default = () if self.is_production else (GatewayName.FAKE, GatewayName.BANK_TRANSFER)
        return default if self.payment_gateways is None else self.payment_gateways

    @property
    def shows_graphiql(self) -> bool:
        return not self.is_production if self.graphiql is None else self.graphiql

    @property
    def serves_metrics(self) -> bool:
        """Return whether `GET /metrics` is on the port of the service."""
        default = not self.is_production or self.metrics_token is not None
        return self.metrics_port is None and (default if self.metrics is None else self.metrics)

    @property
    def allows_introspection(self) -> bool:
        return not self.is_production if self.introspection is None else self.introspection

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return only the arguments as a source, because `load_settings` has merged the environment and the file."""
        return (init_settings,)


SESSION_SETTINGS_KEY = "settings"
"""Key in `Session.info` of the settings of the service that opened the session."""


def settings_of(session: Session) -> Settings:
    """Return the settings of the service that opened the session, or the defaults.

    For effects of a change whose caller does not know the settings.
    """
    settings = session.info.get(SESSION_SETTINGS_KEY)
    return settings if isinstance(settings, Settings) else Settings()
