"""Settings of HTTP: browsers of other origins, proxies, connections, compression, documents and public caches."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import NoDecode

from lms_graphql.settings import validation


class DocumentChoice(StrEnum):
    """Documents that may run."""

    ANY = "any"
    STORED = "stored"


Origin = Annotated[str, AfterValidator(validation.origin)]
HeaderName = Annotated[str, AfterValidator(validation.header_name)]
Network = Annotated[str, AfterValidator(validation.network)]


class HTTPSettings(BaseModel):
    """The part of the settings that describes HTTP."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    cors_origins: Annotated[tuple[Origin, ...], NoDecode] = ()
    """
    Origins of browser front ends that may call the API, separated by commas, such as `https://learn.example.com`.
    Development also allows `http://localhost` and `http://127.0.0.1` with any port.
    """
    cors_headers: Annotated[tuple[HeaderName, ...], NoDecode] = ()
    """Request headers that browser front ends may send beside those of common clients, separated by commas."""
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = ()
    """IP addresses or networks of proxies, separated by commas. Only their `X-Forwarded-For` is used as client IP."""
    keep_alive_seconds: Annotated[int, Field(ge=1, le=3600)] = 75
    """Time after which an idle connection is closed. It must be longer than in the pool of the proxy in front."""
    drain_seconds: Annotated[int, Field(ge=0, le=15)] = 5
    """
    Time for which a process that stops keeps idle connections open. The next request of each is answered, with
    `Connection: close`, so that a proxy sends none into a connection that is being closed.
    """
    compression_min_bytes: Annotated[int, Field(ge=0, le=100_000_000)] = 1_000
    """
    Size from which responses are compressed, if the client accepts zstd, Brotli or gzip. 0 turns compression off, for
    a proxy that compresses itself.
    """

    documents: DocumentChoice = DocumentChoice.ANY
    """
    Documents that may run: `any`, or only `stored` ones, which `lms-graphql documents load` has stored. Super admins
    may always run any.
    """
    automatic_persisted_queries: bool = False
    """
    Automatic persisted queries: clients send the hash of a document that they have sent before. Each process stores
    such documents in memory.
    """

    public_cache_seconds: Annotated[int, Field(ge=0, le=86_400)] = 60
    """
    Time for which browsers, CDNs and the service itself may cache a stored query by GET of an anonymous viewer whose
    fields are all public. 0 turns it off.
    """

    split_lists = field_validator("cors_headers", "cors_origins", "trusted_proxies", mode="before")(
        validation.split_list
    )
