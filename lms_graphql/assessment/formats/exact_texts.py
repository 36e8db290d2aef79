"""Texts that a format cannot carry exactly, such as spaces at the ends. They are written a second time as JSON.

A reader takes the exact text only if it differs from the visible one by what the format changes. So an edit of the
visible text is never undone.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lms_graphql.assessment.question_content import QuestionContent


def exact_texts(content: QuestionContent, carried: Callable[[str], str]) -> dict[str, str]:
    """Return the texts that change, as JSON by their field. `carried` returns a text as a reader would see it."""
    return {name: json.dumps(text) for name, text in _texts(content) if carried(text) != text}


def restore_exact_texts(
    values: dict[str, Any], exact: Mapping[str, str], carried: Callable[[str], str]
) -> dict[str, Any]:
    """Return the fields of a question with the exact texts that fit the visible ones."""

    def restored(name: str, text: Any) -> Any:
        original = _decode(exact[name]) if name in exact else None
        return original if original is not None and carried(original) == (text or "") else text

    if not exact:
        return values
    options = [
        {**option, "text": restored(f"option-{number}", option["text"])}
        for number, option in enumerate(values["options"], 1)
    ]
    answers = [restored(f"answer-{number}", text) for number, text in enumerate(values["accepted_answers"], 1)]
    texts = {name: restored(name, values[name]) for name in ("prompt", "explanation")}
    return {**values, **texts, "options": options, "accepted_answers": answers}


def _texts(content: QuestionContent) -> Iterator[tuple[str, str]]:
    yield "prompt", content.prompt
    if content.explanation is not None:
        yield "explanation", content.explanation
    yield from ((f"option-{number}", option.text) for number, option in enumerate(content.options, 1))
    yield from ((f"answer-{number}", text) for number, text in enumerate(content.accepted_answers, 1))


def _decode(text: str) -> str | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, str) else None
