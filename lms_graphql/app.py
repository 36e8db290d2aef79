"""The Starlette application: addresses, who asks, and what watches over a process."""

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
from lms_graphql.core.actor import ANONYMOUS, Actor
from lms_graphql.core.database import Database
from lms_graphql.core.errors import RequestError, RequestFault
from lms_graphql.graph.context import Context
from lms_graphql.graph.limits import Limits
from lms_graphql.graph.preparing import Preparer
from lms_graphql.graph.view import GraphQLView
from lms_graphql.operating import health
from lms_graphql.schema import NODES, schema
from lms_graphql.settings import Settings


def make_app(settings: Settings) -> Starlette:
    database = Database(
        settings.url.render_as_string(hide_password=False),
        pool_size=settings.pool_size,
        threads=settings.worker_threads,
    )
    preparer = Preparer(
        schema._schema,
        limits_of(settings),
        introspection=settings.allows_introspection,
        suggestions=not settings.is_production,
    )
    view = GraphQLView(
        schema._schema, preparer, settings, lambda request: Context(database, actor_of(request), settings, NODES)
    )

    async def graphql(request: Request) -> Response:
        if graphiql.is_asked_for(request):
            return graphiql.page() if settings.shows_graphiql else PlainTextResponse("Not found", 404)
        return await view.answer(request)

    async def live(request: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(request: Request) -> Response:
        try:
            problem = await database.read(health.problem)
        except SQLAlchemyError:
            problem = "The database does not answer."
        answer = {"status": "ready"} if problem is None else {"status": "not ready", "reason": problem}
        return JSONResponse(answer, 200 if problem is None else 503, headers={"cache-control": "no-store"})

    routes: list[BaseRoute] = [
        Route("/graphql", graphql, methods=["GET", "POST"]),
        Route("/health/live", live),
        Route("/health/ready", ready),
    ]
    if settings.shows_graphiql and graphiql.is_built():
        routes.append(Mount("/graphiql/assets", StaticFiles(directory=graphiql.ASSETS)))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        database.dispose()

    app = Starlette(routes=routes, middleware=_middleware(settings), lifespan=lifespan)
    app.state.database = database
    app.state.preparer = preparer
    return app


def limits_of(settings: Settings) -> Limits:
    return Limits(
        tokens=settings.limit_tokens,
        depth=settings.limit_depth,
        aliases=settings.limit_aliases,
        root_fields=settings.limit_root_fields,
        directives=settings.limit_directives,
        fragments=settings.limit_fragments,
    )


def actor_of(request: Request) -> Actor:
    """Who asks. Nobody can sign in yet, so a token, whatever it says, is not one of ours."""
    if request.headers.get("authorization"):
        raise RequestError(RequestFault.UNAUTHENTICATED, "This token is not valid. Sign in again.")
    return ANONYMOUS


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
