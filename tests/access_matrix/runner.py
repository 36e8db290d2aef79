"""The oracle at work: all paths for some viewers, over HTTP, in as few documents as the service takes."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from graphql import GraphQLSchema

from lms_graphql.schema import schema
from lms_graphql.settings import Settings
from tests.access_matrix.arguments import variants
from tests.access_matrix.checker import Judge, Verdict
from tests.access_matrix.fixtures import planted
from tests.access_matrix.paths import Paths, Piece
from tests.live_service import Client, Service

SCHEMA: GraphQLSchema = schema._schema
_TOKEN = re.compile(r'"[^"]*"|\w+|\.\.\.|[^\s\w,]')


class Oracle:
    def __init__(self, service: Service) -> None:
        self.world = planted(service.database)
        self.client = Client(service)
        self.paths = Paths(SCHEMA, variants(self.world))
        self._service = service

    @cached_property
    def documents(self) -> list[tuple[str, Sequence[Piece]]]:
        return list(self._documents(self.paths.pieces()))

    def walk(self, viewers: Iterable[str]) -> Verdict:
        verdict = Verdict()
        for viewer in viewers:
            for _ in self.steps(viewer, verdict):
                pass
        return verdict

    def steps(self, viewer: str, verdict: Verdict) -> Iterator[Verdict]:
        """Document by document, for who only waits for a complaint."""
        judge = Judge(self.world, SCHEMA, verdict, viewer)
        for text, pieces in self.documents:
            body = self.client.graphql(text, as_=self.world.actor(viewer))
            judge.judge("Query", body, {piece.name: piece for piece in pieces})
            yield verdict

    def _documents(self, pieces: Iterable[Piece]) -> Iterator[tuple[str, Sequence[Piece]]]:
        """As many pieces in one as the limits for anonymous viewers allow."""
        together: list[Piece] = []
        spent = 0
        for piece in pieces:
            cost = self._cost(piece)
            if together and (spent + cost > self._limits.limit_cost_anonymous or not self._fits([*together, piece])):
                yield self._text(together), together
                together, spent = [], 0
            together = [*together, piece]
            spent += cost
        yield self._text(together), together

    @property
    def _limits(self) -> Settings:
        return self._service.resources.settings

    def _text(self, pieces: Sequence[Piece]) -> str:
        return self.paths.whole("{ " + "\n".join(piece.text for piece in pieces) + " }")

    def _fits(self, pieces: Sequence[Piece]) -> bool:
        text = self._text(pieces)
        aliases = len(re.findall(r"__\d+:", text))
        return (
            self.is_short(text)
            and len(pieces) <= self._limits.limit_root_fields
            and aliases <= self._limits.limit_aliases
        )

    def is_short(self, text: str) -> bool:
        """Whether a document has no more tokens than the service takes."""
        return len(_TOKEN.findall(text)) < self._limits.limit_tokens

    def _cost(self, piece: Piece) -> int:
        prepared = self._service.preparer.parse_and_validate(self._text([piece]))
        assert not prepared.errors, f"{piece.path}: {prepared.errors}"
        cost = prepared.operation(None).costs.total({})
        assert cost <= self._limits.limit_cost_anonymous, f"{piece.path} costs {cost}: make PAGE smaller"
        return cost
