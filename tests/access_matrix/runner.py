"""Runner of the access matrix: sends all paths as some viewers over HTTP, in as few documents as the limits allow."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from graphql import FragmentDefinitionNode, GraphQLSchema, OperationDefinitionNode, parse

from lms_graphql.graph.cost import CostPlan
from lms_graphql.schema import schema
from lms_graphql.settings import Settings
from tests.access_matrix.arguments import variants
from tests.access_matrix.checker import MatrixResult, ResponseChecker
from tests.access_matrix.fixtures import create_fixtures
from tests.access_matrix.paths import PathBuilder, RootSelection
from tests.live_service import Client, Service

SCHEMA: GraphQLSchema = schema.graphql_schema
_TOKEN = re.compile(r'"[^"]*"|\w+|\.\.\.|[^\s\w,]')


class MatrixRunner:
    """Creates the fixtures, sends the documents and checks the responses."""

    def __init__(self, service: Service) -> None:
        self.objects = create_fixtures(service.database)
        self.client = Client(service)
        self.paths = PathBuilder(SCHEMA, variants(self.objects))
        self._service = service

    @cached_property
    def documents(self) -> list[tuple[str, Sequence[RootSelection]]]:
        return list(self._documents(self.paths.root_selections()))

    def run(self, viewers: Iterable[str]) -> MatrixResult:
        """Return the result of all documents for these viewers."""
        result = MatrixResult()
        for viewer in viewers:
            for _ in self.run_each(viewer, result):
                pass
        return result

    def run_each(self, viewer: str, result: MatrixResult) -> Iterator[MatrixResult]:
        """Yield the result after each document, so that a caller may stop at a violation."""
        checker = ResponseChecker(self.objects, SCHEMA, result, viewer)
        for text, selections in self.documents:
            body = self.client.graphql(text, as_=self.objects.actor(viewer))
            checker.check("Query", body, {selection.name: selection for selection in selections})
            yield result

    def _documents(self, selections: Iterable[RootSelection]) -> Iterator[tuple[str, Sequence[RootSelection]]]:
        """Yield documents with as many selections as the limits of anonymous viewers allow."""
        batch: list[RootSelection] = []
        batch_cost = 0
        for selection in selections:
            cost = self._cost(selection)
            if batch and (
                batch_cost + cost > self._limits.limit_cost_anonymous or not self._fits([*batch, selection])
            ):
                yield self._text(batch), batch
                batch, batch_cost = [], 0
            batch = [*batch, selection]
            batch_cost += cost
        yield self._text(batch), batch

    @property
    def _limits(self) -> Settings:
        return self._service.resources.settings

    def _text(self, selections: Sequence[RootSelection]) -> str:
        return self.paths.with_fragments("{ " + "\n".join(selection.text for selection in selections) + " }")

    def _fits(self, selections: Sequence[RootSelection]) -> bool:
        text = self._text(selections)
        aliases = len(re.findall(r"__\d+:", text))
        return (
            self.is_short(text)
            and len(selections) <= self._limits.limit_root_fields
            and aliases <= self._limits.limit_aliases
        )

    def is_short(self, text: str) -> bool:
        """Return whether the document is within the token limit."""
        return len(_TOKEN.findall(text)) < self._limits.limit_tokens

    def _cost(self, selection: RootSelection) -> int:
        """Return the cost without validation, because the service validates the whole document."""
        operation, *fragments = parse(self._text([selection])).definitions
        assert isinstance(operation, OperationDefinitionNode)
        by_name = {node.name.value: node for node in fragments if isinstance(node, FragmentDefinitionNode)}
        cost = CostPlan(SCHEMA, operation, by_name).total({})
        assert cost <= self._limits.limit_cost_anonymous, f"{selection.path} costs {cost}: make PAGE_SIZE smaller"
        return cost
