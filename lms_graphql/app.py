"""The Starlette application: routes, authentication of requests, health checks and the background worker."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from lms_graphql import demo_files, graphiql
from lms_graphql.accounts.audit import count_committed_events
from lms_graphql.accounts.services.sessions import require_active_session
from lms_graphql.authentication import Authenticator, authenticate, client_ip, user_agent
from lms_graphql.billing.gateways.registry import enabled_methods
from lms_graphql.billing.models import PaymentMethod
from lms_graphql.billing.urls import checkout_return_path
from lms_graphql.certificate_endpoint import CERTIFICATES
from lms_graphql.checkout_return import CheckoutReturnEndpoint
from lms_graphql.compression import PrecompressedFiles
from lms_graphql.connection_limits import STATE_KEY, ConnectionLimits, WaitingConnections
from lms_graphql.core import metrics, tracing
from lms_graphql.core.actor import ANONYMOUS, Actor
from lms_graphql.core.database import Database
from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.core.password_hashing import PasswordHashingPool
from lms_graphql.core.signing import Signer
from lms_graphql.export_endpoint import ExportEndpoint
from lms_graphql.fake_checkout_page import PATH as FAKE_CHECKOUT_PATH
from lms_graphql.fake_checkout_page import RETURN_PATH as FAKE_RETURN_PATH
from lms_graphql.fake_checkout_page import FakeCheckoutPage
from lms_graphql.graph.context import AppResources, Context
from lms_graphql.graph.document_limits import DocumentLimits
from lms_graphql.graph.documents import DocumentCache
from lms_graphql.graph.http.public_responses import PublicResponses
from lms_graphql.graph.http.requested_documents import RequestedDocuments
from lms_graphql.graph.http.view import GraphQLView
from lms_graphql.metrics_endpoint import MetricsEndpoint
from lms_graphql.middleware import middleware
from lms_graphql.operations import readiness
from lms_graphql.operations.background import BackgroundWorker
from lms_graphql.operations.secret_key import load_secret_key
from lms_graphql.pdf_endpoint import PdfEndpoint, PdfRenderer
from lms_graphql.public_fields import PUBLIC_FIELDS
from lms_graphql.receipt_endpoint import RECEIPTS, STATEMENTS
from lms_graphql.schema import NODE_LOADERS, schema
from lms_graphql.settings import DocumentChoice, Settings
from lms_graphql.stored_documents.reads.texts import is_stored, texts_by_id
from lms_graphql.webhook_endpoint import WebhookEndpoint

PDF_KINDS = {
    "/certificates/{code}.pdf": CERTIFICATES,
    "/receipts/{code}.pdf": RECEIPTS,
    "/payouts/{code}.pdf": STATEMENTS,
}
READINESS_TIMEOUT_SECONDS = 0.25
"""Load balancers wait about 300 ms. A database that takes longer counts as unavailable."""
READINESS_CACHE_SECONDS = 1.0
"""How long a positive answer is reused, so that a process that is busy for a moment stays in rotation."""


class Endpoints:
    """Handlers of the routes."""

    def __init__(self, settings: Settings, database: Database, view: GraphQLView) -> None:
        self._settings = settings
        self._database = database
        self._view = view
        self._ready_at = float("-inf")
        readiness.load_migrations()

    async def graphql(self, request: Request) -> Response:
        if graphiql.is_page_request(request):
            if self._settings.shows_graphiql:
                return graphiql.page()
            return PlainTextResponse("GraphiQL is disabled. Send GraphQL requests by POST.", 404, {"vary": "accept"})
        return await self._view.handle(request)

    async def live(self, request: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(self, request: Request) -> Response:
        problem = self._database.write_health.problem()
        if problem is None and time.monotonic() - self._ready_at > READINESS_CACHE_SECONDS:
            problem = await self._readiness_problem()
            if problem is None:
                self._ready_at = time.monotonic()
        body = {"status": "ready"} if problem is None else {"status": "not ready", "reason": problem}
        return JSONResponse(body, 200 if problem is None else 503, headers={"cache-control": "no-store"})

    async def _readiness_problem(self) -> str | None:
        try:
            async with asyncio.timeout(READINESS_TIMEOUT_SECONDS):
                return await self._database.probe(partial(readiness.readiness_problem, allows_newer=True))
        except (SQLAlchemyError, TimeoutError):
            return "The database does not answer."


def create_app(settings: Settings, authenticator: Authenticator = authenticate) -> Starlette:
    """Return the application. The authenticator returns the actor of a request or raises RequestError."""
    resources = _resources(settings)
    database = resources.database
    worker = BackgroundWorker(database, settings)
    documents = _document_cache(settings)

    async def create_context(request: Request, ignores_bad_token: Callable[[], bool]) -> Context:
        actor = await _authenticate(authenticator, resources, request, ignores_bad_token)
        return Context(resources, actor, client_ip(request), user_agent(request))

    def is_busy() -> bool:
        return database.read_queue_seconds() * 1000 > settings.limit_queue_milliseconds

    renderer = PdfRenderer()
    requested = _requested_documents(database, settings)
    public = PublicResponses(schema.graphql_schema, PUBLIC_FIELDS, settings.public_cache_seconds)
    view = GraphQLView(schema.graphql_schema, documents, settings, create_context, is_busy, requested, public)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
        worker.start()
        yield {STATE_KEY: WaitingConnections(ConnectionLimits.of(settings))}
        resources.hashing.close()
        renderer.close()
        await asyncio.to_thread(worker.stop)
        database.dispose()
        tracing.stop()

    routes = [
        *_routes(Endpoints(settings, database, view), settings, database),
        *_download_routes(resources, authenticator, renderer, is_busy),
        *_payment_routes(resources, is_busy),
    ]
    app = Starlette(routes=routes, middleware=middleware(settings), lifespan=lifespan)
    app.router.redirect_slashes = False  # because the redirect goes to the `Host` that the client names
    app.state.resources = resources
    app.state.documents = documents
    return app


async def _authenticate(
    authenticator: Authenticator, resources: AppResources, request: Request, ignores_bad_token: Callable[[], bool]
) -> Actor:
    """Return the actor of the request. A bad token that the operation ignores makes it anonymous."""
    try:
        with resources.read_priority.reader():
            return await authenticator(resources, request)
    except RequestError as error:
        if error.code is RequestErrorCode.UNAUTHENTICATED and ignores_bad_token():
            return ANONYMOUS
        raise


def _resources(settings: Settings) -> AppResources:
    if settings.tracing:
        tracing.start()  # before the database, whose statements are traced
    database = Database(
        settings.url,
        read_url=settings.read_url,
        pool_size=settings.pool_size,
        threads=settings.worker_threads,
        mysql_reader=settings.mysql_reader,
    )
    database.after_commit.append(count_committed_events)
    for threads in database.worker_threads:
        metrics.DATABASE_THREADS.labels(threads.access).set(threads.count)
    signer = Signer(load_secret_key(settings))
    return AppResources(database, settings, PasswordHashingPool(), signer, NODE_LOADERS, require_active_session)


def _routes(endpoints: Endpoints, settings: Settings, database: Database) -> list[BaseRoute]:
    routes: list[BaseRoute] = [
        Route("/graphql", endpoints.graphql, methods=["GET", "POST"]),
        Route("/graphql/", endpoints.graphql, methods=["GET", "POST"]),
        Route("/health/live", endpoints.live),
        Route("/health/ready", endpoints.ready),
        demo_files.route(),
    ]
    if settings.shows_graphiql and graphiql.is_built():
        routes.append(Mount("/graphiql/assets", PrecompressedFiles(directory=graphiql.ASSETS_DIR)))
    if settings.serves_metrics:
        routes.append(MetricsEndpoint(settings, database).route())
    return routes


def _download_routes(
    resources: AppResources, authenticator: Authenticator, renderer: PdfRenderer, is_busy: Callable[[], bool]
) -> list[BaseRoute]:
    return [
        Route("/exports/{kind}.csv", ExportEndpoint(resources, authenticator, is_busy).handle),
        *(
            Route(path, PdfEndpoint(resources, renderer, client_ip, is_busy, kind).handle)
            for path, kind in PDF_KINDS.items()
        ),
    ]


def _payment_routes(resources: AppResources, is_busy: Callable[[], bool]) -> list[BaseRoute]:
    webhooks = WebhookEndpoint(resources, is_busy)
    routes: list[BaseRoute] = [
        Route("/webhooks/{gateway}", webhooks.handle, methods=["POST"]),
        Route(checkout_return_path("{reference}"), CheckoutReturnEndpoint(resources).handle, methods=["GET"]),
    ]
    if PaymentMethod.FAKE in enabled_methods(resources.settings):
        page = FakeCheckoutPage(resources)
        routes += [
            Route(FAKE_CHECKOUT_PATH, page.handle, methods=["GET", "POST"]),
            Route(FAKE_RETURN_PATH, page.handle_return, methods=["GET"]),
        ]
    return routes


def _document_cache(settings: Settings) -> DocumentCache:
    return DocumentCache(
        schema.graphql_schema,
        document_limits(settings),
        introspection=settings.allows_introspection,
        suggestions=not settings.is_production,
    )


def _requested_documents(database: Database, settings: Settings) -> RequestedDocuments:
    async def find_text(document_id: str) -> str | None:
        texts = await database.read(lambda session: texts_by_id(session, [document_id]))
        return texts.get(document_id)

    async def is_stored_text(text_hash: str) -> bool:
        return await database.read(lambda session: is_stored(session, text_hash))

    return RequestedDocuments(
        find_text,
        is_stored_text,
        stored_only=settings.documents is DocumentChoice.STORED,
        automatic=settings.automatic_persisted_queries,
    )


def document_limits(settings: Settings) -> DocumentLimits:
    return DocumentLimits(
        characters=settings.limit_document_characters,
        tokens=settings.limit_tokens,
        depth=settings.limit_depth,
        aliases=settings.limit_aliases,
        root_fields=settings.limit_root_fields,
        mutation_root_fields=settings.limit_mutation_root_fields,
        directives=settings.limit_directives,
        fragments=settings.limit_fragments,
    )
