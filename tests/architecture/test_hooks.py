"""Hooks: which functions are registered for each, and what happens if none is."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from lms_graphql import wiring
from lms_graphql.accounts import hooks as accounts
from lms_graphql.catalog import hooks as catalog
from lms_graphql.core.hooks import Hook, UnregisteredHookError
from lms_graphql.learning import hooks as learning

REGISTERED = {
    "accounts.public_user_filters": ["is_public_instructor", "is_public_author"],
    "accounts.account_erased": ["delete_notes_of_user", "delete_invitations_of_user"],
    "catalog.publish_checks": ["quiz_problems"],
    "catalog.unpublish_blockers": ["pending_sale_blocker"],
    "catalog.delete_blockers": ["attempt_blocker", "sale_blocker"],
    "catalog.before_deletion": ["delete_quizzes", "delete_discussions"],
    "catalog.curriculum_changed": ["recount_after_curriculum_change"],
    "catalog.lectures_removed": ["detach_quizzes"],
    "learning.course_level_quizzes": ["course_level_quizzes"],
    "learning.passed_quizzes": ["passed_quizzes"],
    "learning.payment_checks": ["has_paid"],
}


def declared_hooks() -> list[Hook[Any]]:
    modules = (accounts, catalog, learning)
    return [value for module in modules for value in vars(module).values() if isinstance(value, Hook)]


def test_hooks_are_registered_once_if_wiring_runs_twice() -> None:
    wiring.register_hooks()
    wiring.register_hooks()
    assert {hook.name: [function.__name__ for function in hook] for hook in declared_hooks()} == REGISTERED


def test_hook_raises_when_nothing_was_registered() -> None:
    hook: Hook[Callable[[], None]] = Hook("catalog.example")
    with pytest.raises(UnregisteredHookError, match=r"catalog\.example.*register_hooks"):
        list(hook)


def test_hook_accepts_registration_of_no_functions() -> None:
    hook: Hook[Callable[[], None]] = Hook("catalog.example")
    hook.register()
    assert list(hook) == []


@pytest.mark.slow
def test_hook_raises_in_script_without_wiring() -> None:
    script = "from lms_graphql.learning import hooks; list(hooks.course_level_quizzes)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "UnregisteredHookError" in result.stderr
