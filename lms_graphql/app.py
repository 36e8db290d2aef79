"""The Starlette application: addresses, who asks, and what watches over a process."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from lms_graphql import graphiql
from lms_graphql.accounts.service.sessions import require_live
from lms_graphql.certificates import Certificates
from lms_graphql.core.database import Database
from lms_graphql.core.hashing import Hashing
from lms_graphql.core.signing import Signer
from lms_graphql.graph.context import Context, Equipment
from lms_graphql.graph.limits import Limits
from lms_graphql.graph.preparing import Preparer
from lms_graphql.graph.view import GraphQLView
from lms_graphql.identifying import Identify, actor_of, origin_of
from lms_graphql.operating import health
from lms_graphql.operating.background import Outbox
from lms_graphql.operating.secret import secret_of
from lms_graphql.schema import NODES, schema
from lms_graphql.settings import Settings

READY_SECONDS = 0.25
"""A balancer asks often and waits 300 ms: a database that takes longer is not there for it."""
STILL_READY_SECONDS = 1.0
"""How long a good answer holds, so that a process that is busy for a moment is not taken out."""


class Endpoints:
    """What each address does."""

    def __init__(self, settings: Settings, database: Database, view: GraphQLView) -> None:
        self._settings = settings
        self._database = database
        self._view = view
        self._was_ready = float("-inf")

    async def graphql(self, request: Request) -> Response:
        if graphiql.is_asked_for(request):
            return graphiql.page() if self._settings.shows_graphiql else PlainTextResponse("Not found", 404)
        return await self._view.answer(request)

    async def live(self, request: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(self, request: Request) -> Response:
        problem = None
        if time.monotonic() - self._was_ready > STILL_READY_SECONDS:
            problem = await self._problem()
            if problem is None:
                self._was_ready = time.monotonic()
        answer = {"status": "ready"} if problem is None else {"status": "not ready", "reason": problem}
        return JSONResponse(answer, 200 if problem is None else 503, headers={"cache-control": "no-store"})

    async def _problem(self) -> str | None:
        try:
            async with asyncio.timeout(READY_SECONDS):
                return await self._database.probe(health.problem)
        except (SQLAlchemyError, TimeoutError):
            return "The database does not answer."


def make_app(settings: Settings, identify: Identify = actor_of) -> Starlette:
    """`identify` tells who asks; RequestError where a token is not one of ours."""
    database = Database(settings.url, pool_size=settings.pool_size, threads=settings.worker_threads)
    equipment = Equipment(database, settings, Hashing(), Signer(secret_of(settings)), NODES, require_live)
    outbox = Outbox(database, settings)
    preparer = Preparer(
        schema._schema,
        limits_of(settings),
        introspection=settings.allows_introspection,
        suggestions=not settings.is_production,
    )

    async def context_of(request: Request) -> Context:
        origin = origin_of(request)
        with equipment.courtesy.first():
            actor = await identify(equipment, request)
        return Context(equipment, actor, origin)

    def is_busy() -> bool:
        return database.queued_seconds() * 1000 > settings.limit_queue_milliseconds

    certificates = Certificates(equipment, origin_of, is_busy)
    endpoints = Endpoints(settings, database, GraphQLView(schema._schema, preparer, settings, context_of, is_busy))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        outbox.start()
        yield
        equipment.hashing.close()
        certificates.close()
        await asyncio.to_thread(outbox.stop)
        database.dispose()

    routes = [*_routes(endpoints, settings), Route("/certificates/{code}.pdf", certificates.answer)]
    app = Starlette(routes=routes, middleware=_middleware(settings), lifespan=lifespan)
    app.state.equipment = equipment
    app.state.database = database
    app.state.outbox = outbox
    app.state.preparer = preparer
    return app


def _routes(endpoints: Endpoints, settings: Settings) -> list[BaseRoute]:
    routes: list[BaseRoute] = [
        Route("/graphql", endpoints.graphql, methods=["GET", "POST"]),
        Route("/health/live", endpoints.live),
        Route("/health/ready", endpoints.ready),
    ]
    if settings.shows_graphiql and graphiql.is_built():
        routes.append(Mount("/graphiql/assets", StaticFiles(directory=graphiql.ASSETS)))
    return routes


def limits_of(settings: Settings) -> Limits:
    return Limits(
        characters=settings.limit_document_characters,
        tokens=settings.limit_tokens,
        depth=settings.limit_depth,
        aliases=settings.limit_aliases,
        root_fields=settings.limit_root_fields,
        directives=settings.limit_directives,
        fragments=settings.limit_fragments,
    )


def _middleware(settings: Settings) -> list[Middleware]:
    if not settings.cors_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type"],
            max_age=3600,
        )
    ]
