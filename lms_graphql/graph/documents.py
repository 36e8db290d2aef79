"""Parsed and validated documents. Each text is parsed, limited, validated and planned once, and then cached."""

import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLFormattedError,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    ValuesOfCorrectTypeRule,
    VariableNode,
    Visitor,
    parse,
    specified_rules,
    validate,
    visit,
)

from lms_graphql.core import metrics, tracing
from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.graph import document_limits, error_formatting, graphql_messages
from lms_graphql.graph.cost import CostPlan
from lms_graphql.graph.document_limits import DocumentLimits
from lms_graphql.graph.literal_validation import LocatedValuesOfCorrectTypeRule
from lms_graphql.graph.schema.strawberry_internals import INPUT_VALIDATION_RULES

CACHE_BYTES = 32_000_000
"""Memory for cached documents: 700 of 70 tokens, or 60 of the 1,000 tokens that a document may have."""
MAX_CACHED_CHARACTERS = 10_000
"""Longer documents are not cached, because they are rarely sent again."""
BYTES_PER_TOKEN, BYTES_PER_DOCUMENT, BYTES_PER_ERROR = 450, 10_000, 2_000
"""Memory of a prepared document, measured with tracemalloc: 350–450 bytes a token in long documents."""
MAX_VALIDATION_ERRORS = 20
TOKENLESS_MUTATIONS = frozenset(
    {
        "register",
        "login",
        "refreshSession",
        "logout",
        "requestPasswordReset",
        "resetPassword",
        "verifyEmail",
        "confirmEmailChange",
    }
)
"""Mutations that need no access token. Clients send an expired one with them, above all to renew it."""


@dataclass(frozen=True, slots=True)
class Operation:
    name: str | None
    kind: OperationType
    costs: CostPlan
    ignores_bad_token: bool
    """True if the operation runs anonymously, instead of failing with 401, when its access token is not valid."""
    document: DocumentNode
    definition: OperationDefinitionNode
    condition_variables: tuple[str, ...]
    """Names of the variables on which `@skip` and `@include` depend, here or in another operation of the document."""


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """Either `errors`, or a valid document with its operations."""

    document: DocumentNode | None
    operations: Mapping[str | None, Operation]
    errors: tuple[GraphQLFormattedError, ...] = ()
    """Formatted errors, because a `GraphQLError` refers to the document and would keep it in memory."""

    def operation(self, name: str | None) -> Operation:
        """Return the operation to run. Raise BAD_USER_INPUT if the name is unknown, or missing but needed."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        if name is None:
            message = "The document has several operations. Name one of them in `operationName`."
            raise RequestError(RequestErrorCode.BAD_USER_INPUT, message)
        if name not in self.operations:
            message = "The document has no operation of this name. Check `operationName`."
            raise RequestError(RequestErrorCode.BAD_USER_INPUT, message)
        return self.operations[name]


def estimate_bytes(text: str, prepared: PreparedDocument) -> int:
    """Return about how much memory the document and its text take. Names and texts in it are copies."""
    tokens = prepared.document.token_count if prepared.document is not None else 0
    return (
        BYTES_PER_DOCUMENT
        + 2 * sys.getsizeof(text)
        + BYTES_PER_TOKEN * tokens
        + sum(BYTES_PER_ERROR + sys.getsizeof(error["message"]) for error in prepared.errors)
    )


class DocumentCache:
    """Prepares documents and caches the short ones by their text.

    The cache is bounded by memory, because one document may take 60 times as much as another.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: DocumentLimits,
        *,
        introspection: bool = True,
        suggestions: bool = True,
        max_bytes: int = CACHE_BYTES,
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._suggestions = suggestions
        self._max_bytes = max_bytes
        self._rules = (
            *(rule for rule in specified_rules if rule is not ValuesOfCorrectTypeRule),
            LocatedValuesOfCorrectTypeRule,
            *INPUT_VALIDATION_RULES,
            *(() if introspection else (NoSchemaIntrospectionCustomRule,)),
        )
        self._cached: OrderedDict[str, tuple[PreparedDocument, int]] = OrderedDict()
        """Documents and their estimated bytes. The document that was used last is at the end."""
        self.cached_bytes = 0
        self.hits = 0

    def __len__(self) -> int:
        """Return the number of cached documents."""
        return len(self._cached)

    def prepare(self, text: str) -> PreparedDocument:
        """Return the document from the cache, or prepare it. For one thread, that of the event loop."""
        entry = self._cached.get(text)
        if entry is not None:
            self._cached.move_to_end(text)
            self.hits += 1
            metrics.DOCUMENT_LOOKUPS.labels("hit").inc()
            return entry[0]
        metrics.DOCUMENT_LOOKUPS.labels("miss").inc()
        with tracing.span("parse and validate"):
            prepared = self.parse_and_validate(text)
        if len(text) <= MAX_CACHED_CHARACTERS:
            self._store(text, prepared)
        return prepared

    def _store(self, text: str, prepared: PreparedDocument) -> None:
        size = estimate_bytes(text, prepared)
        self._cached[text] = prepared, size
        self.cached_bytes += size
        while self.cached_bytes > self._max_bytes:
            _, (_, removed_size) = self._cached.popitem(last=False)
            self.cached_bytes -= removed_size

    def parse_and_validate(self, text: str) -> PreparedDocument:
        if len(text) > self._limits.characters:
            message = (
                f"The document has more than {self._limits.characters} characters. Send long texts as variables."
            )
            return _rejected_document(error_formatting.graphql_error(RequestErrorCode.QUERY_TOO_COMPLEX, message))
        try:
            document = parse(text, max_tokens=self._limits.tokens)
            _unlink_tokens(document)
            document_limits.check_document(document, self._limits)
        except GraphQLSyntaxError as error:
            return _rejected_document(self._syntax_error(error))
        except RequestError as error:
            return _rejected_document(error_formatting.from_request_error(error))
        errors = validate(
            self._schema,
            document,
            self._rules,
            max_errors=MAX_VALIDATION_ERRORS,
            hide_suggestions=not self._suggestions,
        )
        if errors:
            return _rejected_document(
                *(error_formatting.from_validation_error(error, suggestions=self._suggestions) for error in errors)
            )
        return PreparedDocument(document, self._operations(document))

    def _syntax_error(self, error: GraphQLSyntaxError) -> GraphQLError:
        if graphql_messages.is_token_limit_error(error):
            message = f"The document has more than {self._limits.tokens} tokens. Split it into several requests."
            return error_formatting.graphql_error(RequestErrorCode.QUERY_TOO_COMPLEX, message)
        return error_formatting.from_syntax_error(error)

    def _operations(self, document: DocumentNode) -> dict[str | None, Operation]:
        fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        conditions = _ConditionVariables()
        visit(document, conditions)
        operations: dict[str | None, Operation] = {}
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                name = definition.name.value if definition.name else None
                costs = CostPlan(self._schema, definition, fragments)
                called = _root_fields(definition, fragments) - {"__typename"}
                ignores_bad_token = bool(called) and called <= TOKENLESS_MUTATIONS
                operations[name] = Operation(
                    name,
                    definition.operation,
                    costs,
                    ignores_bad_token,
                    document,
                    definition,
                    tuple(sorted(conditions.names)),
                )
        return operations


class _ConditionVariables(Visitor):
    """Collects the names of the variables in `@skip` and `@include`."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        if node.name.value in {"skip", "include"}:
            values = (argument.value for argument in node.arguments or ())
            self.names.update(value.name.value for value in values if isinstance(value, VariableNode))


def _root_fields(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> frozenset[str]:
    """Return the names of the root fields. Each fragment is visited once, because fragments may spread each other."""
    names, visited, pending = set[str](), set[str](), [operation.selection_set]
    while pending:
        for selection in pending.pop().selections:
            if isinstance(selection, FieldNode):
                names.add(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                pending.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in visited:
                visited.add(selection.name.value)
                pending.append(fragments[selection.name.value].selection_set)
    return frozenset(names)


def _unlink_tokens(document: DocumentNode) -> None:
    """Remove the links between the tokens, which only the parser needs.

    They are reference cycles. A document that leaves the cache would stay in memory for hours, because the collector
    rarely looks at objects that have lived for long.
    """
    token = document.loc.start_token if document.loc is not None else None
    while token is not None:
        token.prev, token.next, token = None, None, token.next


def _rejected_document(*errors: GraphQLError) -> PreparedDocument:
    return PreparedDocument(None, {}, tuple(error.formatted for error in errors))
