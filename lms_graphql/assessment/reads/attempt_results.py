"""Reads of the results of many attempts, without prompts and texts of answers."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from lms_graphql.assessment.models import AttemptQuestion, QuestionVersion
from lms_graphql.assessment.result_tokens import QuestionResult
from lms_graphql.core.statements import KEYS, fetch_named_rows, fetch_rows, group_rows

_KEY_VERSION = aliased(QuestionVersion)
_RESULTS = (
    select(
        AttemptQuestion.attempt_id,
        AttemptQuestion.version_id,
        AttemptQuestion.selected_options,
        or_(
            AttemptQuestion.selected_options.is_not(None),
            AttemptQuestion.answer_boolean.is_not(None),
            AttemptQuestion.answer_text.is_not(None),  # a blank text is stored as null
        ),
        AttemptQuestion.earned_points,
        _KEY_VERSION.points,
    )
    .join(_KEY_VERSION, _KEY_VERSION.id == AttemptQuestion.key_version_id)
    .where(AttemptQuestion.attempt_id.in_(KEYS))
    .order_by(AttemptQuestion.attempt_id, AttemptQuestion.position)
)
_OPTIONS = select(QuestionVersion.id, QuestionVersion.options).where(QuestionVersion.id.in_(KEYS))


def results_by_attempt(session: Session, attempt_keys: Sequence[int]) -> dict[int, list[QuestionResult]]:
    """Return the results of the questions of each attempt, in the learner's order, in two statements."""
    rows = fetch_named_rows(session, _RESULTS, {"keys": attempt_keys})
    versions = sorted({row.version_id for row in rows})
    option_ids = {
        version: [option["id"] for option in options]
        for version, options in fetch_rows(session, _OPTIONS, {"keys": versions})
    }

    def to_result(row: Any) -> QuestionResult:
        _, version, selected, is_answered, earned, points = row
        ids = frozenset(selected.split(",")) if selected else frozenset[str]()
        return QuestionResult(version, option_ids[version], ids, bool(is_answered), earned, points)

    return group_rows(rows, to_result, by=0)
