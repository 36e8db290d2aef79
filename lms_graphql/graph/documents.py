"""A document made ready to run: parsed, held to the limits, validated, its cost planned. Done once for each text."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLFormattedError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.graph import document_limits, error_formatting
from lms_graphql.graph.cost import CostPlan
from lms_graphql.graph.document_limits import DocumentLimits

CACHE_SIZE = 512
MAX_CACHED_CHARACTERS = 10_000
"""Characters. A parsed document takes some twenty times its text, and one this long is seldom sent again."""
MAX_VALIDATION_ERRORS = 20
_TOO_MANY_TOKENS = "Document contains more than"


@dataclass(frozen=True, slots=True)
class Operation:
    name: str | None
    kind: OperationType
    costs: CostPlan


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """Either `errors`, or a document with its operations."""

    document: DocumentNode | None
    operations: Mapping[str | None, Operation]
    errors: tuple[GraphQLFormattedError, ...] = ()
    """As they are answered: an error itself holds on to the document."""

    def operation(self, name: str | None) -> Operation:
        """The one that is to run. RequestError where the request leaves it open."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        if name is None:
            message = "The document has several operations: name one in `operationName`."
            raise RequestError(RequestErrorCode.BAD_USER_INPUT, message)
        if name not in self.operations:
            raise RequestError(RequestErrorCode.BAD_USER_INPUT, "The document has no operation of this name.")
        return self.operations[name]


class DocumentCache:
    def __init__(
        self, schema: GraphQLSchema, allowed: DocumentLimits, *, introspection: bool = True, suggestions: bool = True
    ) -> None:
        self._schema = schema
        self._limits = allowed
        self._suggestions = suggestions
        self._rules = (
            *specified_rules,
            MaybeNullValidationRule,
            OneOfInputValidationRule,
            *(() if introspection else (NoSchemaIntrospectionCustomRule,)),
        )
        self.cached = lru_cache(maxsize=CACHE_SIZE)(self.parse_and_validate)
        """The same text is prepared once; `kept.cache_info()` tells how often that helped."""

    def prepare(self, text: str) -> PreparedDocument:
        return self.cached(text) if len(text) <= MAX_CACHED_CHARACTERS else self.parse_and_validate(text)

    def parse_and_validate(self, text: str) -> PreparedDocument:
        if len(text) > self._limits.characters:
            message = (
                f"The document has more than {self._limits.characters} characters. Send long texts as variables."
            )
            return _refused(error_formatting.graphql_error(RequestErrorCode.QUERY_TOO_COMPLEX, message))
        try:
            document = parse(text, max_tokens=self._limits.tokens)
            document_limits.check_document(document, self._limits)
        except GraphQLSyntaxError as error:
            return _refused(self._of_syntax(error))
        except RequestError as error:
            return _refused(error_formatting.from_request_error(error))
        errors = validate(
            self._schema,
            document,
            self._rules,
            max_errors=MAX_VALIDATION_ERRORS,
            hide_suggestions=not self._suggestions,
        )
        if errors:
            return _refused(
                *(error_formatting.from_validation_error(error, suggestions=self._suggestions) for error in errors)
            )
        return PreparedDocument(document, self._operations(document))

    def _of_syntax(self, error: GraphQLSyntaxError) -> GraphQLError:
        if _TOO_MANY_TOKENS in error.message:
            message = f"The document has more than {self._limits.tokens} tokens."
            return error_formatting.graphql_error(RequestErrorCode.QUERY_TOO_COMPLEX, message)
        return error_formatting.from_syntax_error(error)

    def _operations(self, document: DocumentNode) -> dict[str | None, Operation]:
        fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        found: dict[str | None, Operation] = {}
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                name = definition.name.value if definition.name else None
                costs = CostPlan(self._schema, definition, fragments)
                found[name] = Operation(name, definition.operation, costs)
        return found


def _refused(*errors: GraphQLError) -> PreparedDocument:
    return PreparedDocument(None, {}, tuple(error.formatted for error in errors))
