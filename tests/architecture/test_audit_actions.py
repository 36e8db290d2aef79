"""Actions of the audit log: each one that the code records has a kind of subject, with which its id is made."""

import ast
import re
from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.billing.gateways.interface import EventKind
from lms_graphql.schema import NODE_LOADERS
from tests.architecture.test_layers import FILES

ACTION = re.compile(r"[a-z]+\.[a-z_]+")
COMPOSED = {f"dispute.{kind.removeprefix('dispute_')}" for kind in EventKind if kind.startswith("dispute_")}
"""Actions that the code composes."""
WITHOUT_ONE_KIND = {"keys.rotated", "question.regraded"}
"""Signing keys have no global id. The kind of a question is given with each event."""


def recorded_actions() -> Iterator[str]:
    """Yield the actions in the modules that use the audit log: all texts that look like one."""
    for path in FILES:
        source = path.read_text()
        if "audit.record" in source:
            constants = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
            yield from (value for value in constants if isinstance(value, str) and ACTION.fullmatch(value))


def test_each_recorded_action_has_a_kind_of_subject() -> None:
    assert {*recorded_actions(), *COMPOSED} == set(audit.SUBJECT_KINDS)


def test_kinds_of_subjects_are_kinds_of_nodes() -> None:
    assert set(audit.SUBJECT_KINDS.values()) - {None} <= set(NODE_LOADERS)
    assert {action for action, kind in audit.SUBJECT_KINDS.items() if kind is None} == WITHOUT_ONE_KIND


@pytest.mark.parametrize(("action", "subject"), [("account.invented", None), ("question.regraded", 1)])
def test_event_of_unknown_kind_is_not_recorded(action: str, subject: int | None) -> None:
    with pytest.raises(ValueError, match=action), Session() as session:
        audit.record(session, action, subject=subject)
