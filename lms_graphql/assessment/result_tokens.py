"""Result of an attempt as a compact text, from which statistics are counted.

It repeats what the rows of the questions say. Reading those instead takes ten times as long.

The text is `versions|tokens`. Both parts are separated by spaces, and in the order of the versions' keys. So attempts
at the same questions have the same first part, and the n-th token of each is about the same question.

- A version is the key of the version of a question that the learner saw.
- A token is `answer.earned.points`.
- The answer has a letter for each selected option, `A` for the first one of the version. It is `+` for an answer of
  another type and `-` without an answer.
- Earned are the points for the answer in hundredths, or `?` while a person has to grade it.
- Points are those of the question in hundredths, by the key that scored the answer.
"""

from collections.abc import Iterable, Sequence, Set
from decimal import Decimal
from operator import attrgetter
from string import ascii_uppercase
from typing import NamedTuple

NO_ANSWER, OTHER_ANSWER, NOT_GRADED = "-", "+", "?"


class QuestionResult(NamedTuple):
    """Result of a question of an attempt. `option_ids` are those of the version, in its order."""

    version_key: int
    option_ids: Sequence[str]
    selected: Set[str]
    is_answered: bool
    earned_points: Decimal | None
    points: Decimal


class ResultToken(NamedTuple):
    """A token. Points are in hundredths. `selected` has the indexes of the selected options of the version."""

    selected: Sequence[int]
    is_answered: bool
    earned: int | None
    points: int


def result_tokens(results: Iterable[QuestionResult]) -> str:
    """Return the text for the questions of an attempt."""
    ordered = sorted(results, key=attrgetter("version_key"))
    return " ".join(str(result.version_key) for result in ordered) + "|" + " ".join(map(_token, ordered))


def split_versions(text: str) -> tuple[str, str]:
    """Return the versions and the tokens of an attempt, each as a text."""
    versions, _, tokens = text.partition("|")
    return versions, tokens


def parse_token(token: str) -> ResultToken:
    answer, earned, points = token.split(".")
    selected = () if answer in (NO_ANSWER, OTHER_ANSWER) else tuple(map(ascii_uppercase.index, answer))
    earned_hundredths = None if earned == NOT_GRADED else int(earned)
    return ResultToken(selected, answer != NO_ANSWER, earned_hundredths, int(points))


def _token(result: QuestionResult) -> str:
    earned = NOT_GRADED if result.earned_points is None else str(_hundredths(result.earned_points))
    return f"{_answer(result)}.{earned}.{_hundredths(result.points)}"


def _answer(result: QuestionResult) -> str:
    if not result.is_answered:
        return NO_ANSWER
    options = zip(ascii_uppercase, result.option_ids, strict=False)
    return "".join(letter for letter, id in options if id in result.selected) or OTHER_ANSWER


def _hundredths(points: Decimal) -> int:
    return int(points.scaleb(2))
