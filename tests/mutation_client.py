"""A client for mutations: one actor, with a document for each mutation."""

from typing import Any, ClassVar

from lms_graphql.core.actor import Actor
from tests.concurrency import RaceRequest
from tests.live_service import ACTOR_HEADER, Client


class MutationClient:
    """Sends mutations as one actor. A subclass names the input type and the selection of each mutation."""

    documents: ClassVar[dict[str, tuple[str, str]]]
    """For each mutation, its input type and what is selected of its payload beside `errors`."""

    def __init__(self, client: Client, actor: Actor) -> None:
        self._client = client
        self.actor = actor

    @classmethod
    def document(cls, mutation: str) -> str:
        input_type, selection = cls.documents[mutation]
        fields = f"{selection} errors {{ code message path }}"
        return f"mutation M($input: {input_type}!) {{ {mutation}(input: $input) {{ {fields} }} }}"

    def payload(self, mutation: str, **input: Any) -> Any:
        """Return the payload, with its errors. Top-level errors fail the test."""
        return self._client.execute(self.document(mutation), as_=self.actor, input=input)[mutation]

    def ok(self, mutation: str, **input: Any) -> Any:
        """Return what was created or changed, or the deleted id. Any error fails the test."""
        payload = self.payload(mutation, **input)
        assert payload.pop("errors") == []
        (result,) = payload.values()
        assert result is not None
        return result

    def user_errors(self, mutation: str, **input: Any) -> list[tuple[str, str]]:
        """Return code and input field of each error in the payload, whose other fields must be null."""
        payload = self.payload(mutation, **input)
        errors = payload.pop("errors")
        assert list(payload.values()) == [None]
        assert all(error["path"][0] == "input" and len(error["path"]) == 2 for error in errors)
        return [(error["code"], error["path"][1]) for error in errors]

    def graphql(self, mutation: str, **input: Any) -> Any:
        """Return the whole response body, top-level errors included."""
        return self._client.graphql(self.document(mutation), as_=self.actor, input=input)

    def error_codes(self, mutation: str, **input: Any) -> list[str]:
        """Return the codes of the top-level errors. The mutation must have returned no data."""
        body = self.graphql(mutation, **input)
        assert body.get("data") in (None, {mutation: None})
        return [error["extensions"]["code"] for error in body["errors"]]

    def race_request(self, mutation: str, **input: Any) -> RaceRequest:
        """Return the request, to be sent together with others by `RaceClients`."""
        headers = {ACTOR_HEADER: f"{self.actor.key}:{self.actor.role}"}
        return RaceRequest(self.document(mutation), {"input": input}, headers=headers)
