"""Metrics of a process for Prometheus. `GET /metrics` shows the sums of all processes of this host.

Labels have few values, because each combination of values is a time series. None of them is a person, a course or a
text of a client, except the names of operations, which `OperationNames` limits.
"""

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
COSTS = (1, 10, 100, 500, 1_000, 5_000, 10_000, 50_000)
STATEMENTS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55)
TASK_SECONDS = (0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0)
MAX_OPERATION_NAMES = 200
MAX_NAME_LENGTH = 100

OPERATION_SECONDS = Histogram(
    "lms_operation_duration_seconds",
    "GraphQL operations: time from authentication to the complete response.",
    ("operation", "kind", "outcome"),
    buckets=SECONDS,
)
OPERATION_COST = Histogram("lms_operation_cost", "Cost of operations, before they run.", buckets=COSTS)
OPERATION_STATEMENTS = Histogram("lms_operation_statements", "SQL statements of an operation.", buckets=STATEMENTS)
PLANS = Counter("lms_operation_plans", "Operations by the part that a query plan had in them.", ("plan",))
MUTATIONS = Counter(
    "lms_mutations",
    "Mutation fields, by the code of their first error; `ok` without errors, `failed` with a top-level error.",
    ("field", "result"),
)
DOCUMENT_LOOKUPS = Counter("lms_document_lookups", "Lookups in the document cache.", ("result",))
PUBLIC_RESPONSES = Counter("lms_public_responses", "Requests for responses that a CDN may cache.", ("result",))
IN_FLIGHT = Gauge("lms_requests_in_flight", "GraphQL requests that run now.", multiprocess_mode="livesum")
REJECTED = Counter("lms_requests_rejected", "GraphQL requests that were rejected.", ("status", "code"))

DATABASE_WAIT_SECONDS = Histogram(
    "lms_database_wait_seconds", "Wait of work for a database thread.", ("access",), buckets=SECONDS
)
DATABASE_BUSY = Gauge(
    "lms_database_busy_threads",
    "Database threads that work. Each has a connection.",
    ("access",),
    multiprocess_mode="livesum",
)
DATABASE_THREADS = Gauge(
    "lms_database_threads", "Database threads, busy or not.", ("access",), multiprocess_mode="livesum"
)
DATABASE_RETRIES = Counter("lms_database_retries", "Transactions that ran again, by the error.", ("error",))

AUDIT_EVENTS = Counter(
    "lms_audit_events", "Audit events that were committed, such as logins and payments.", ("action", "outcome")
)
WEBHOOKS = Counter("lms_webhooks", "Webhooks of payment gateways.", ("gateway", "status"))
TASK_DURATION_SECONDS = Histogram(
    "lms_maintenance_task_duration_seconds", "Runs of maintenance tasks.", ("task", "result"), buckets=TASK_SECONDS
)
LAST_MAINTENANCE = Gauge(
    "lms_maintenance_last_run_timestamp_seconds",
    "When a process of this host last completed maintenance.",
    multiprocess_mode="max",
)


class OperationNames:
    """Names of operations as label values: the first `MAX_OPERATION_NAMES` that were seen, else `other`.

    Names of more than `MAX_NAME_LENGTH` characters are `other`, because a name has 20 time series for each outcome.
    """

    def __init__(self) -> None:
        self._names: set[str] = set()

    def label(self, name: str | None, *, is_stored: bool = False) -> str:
        """Return the label value of an operation's name. An operation without a name is `anonymous`.

        Names in stored documents are not limited, because operators chose them.
        """
        if name is None:
            return "anonymous"
        if len(name) > MAX_NAME_LENGTH:
            return "other"
        if name not in self._names:
            if len(self._names) >= MAX_OPERATION_NAMES and not is_stored:
                return "other"
            self._names.add(name)
        return name
