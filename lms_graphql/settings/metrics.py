"""Settings of the metrics for Prometheus and of traces."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from lms_graphql.settings import validation


class MetricsSettings(BaseModel):
    """The part of the settings that describes metrics and traces."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    metrics: bool | None = None
    """
    Metrics at `/metrics` of the service. If unset, they are on in development, and in production if
    `LMS_METRICS_TOKEN` is set.
    """
    metrics_token: Annotated[str, Field(min_length=16, max_length=256)] | None = None
    """Bearer token without which `/metrics` answers with 401."""
    metrics_port: Annotated[int, Field(ge=1, le=validation.MAX_PORT)] | None = None
    """Port of its own for `/metrics`, opened by `serve`. The port of the service has none then."""
    metrics_host: str = "127.0.0.1"
    """Address on which `LMS_METRICS_PORT` listens."""
    tracing: bool = False
    """
    Traces of `serve` by OpenTelemetry. They need the extra `tracing`. The `OTEL_…` variables of OpenTelemetry set
    where they go and how many are sampled.
    """
