"""Writer of GIFT. Comments carry what Moodle's GIFT cannot say, so that our reader gets the same questions again."""

from collections.abc import Sequence
from decimal import Decimal

from lms_graphql.assessment.formats.answer_weights import choice_weights, escape_wild_cards, format_weight
from lms_graphql.assessment.formats.exact_texts import exact_texts
from lms_graphql.assessment.formats.gift_syntax import FORMAT, WEIGHT, carried, comment_value, escape
from lms_graphql.assessment.models import QuestionType
from lms_graphql.assessment.question_content import Option, QuestionContent


def write_gift(questions: Sequence[QuestionContent]) -> str:
    return "\n".join(_question(number, content) for number, content in enumerate(questions, 1))


def _question(number: int, content: QuestionContent) -> str:
    lines = [" ".join([f"// question {number}", *_comment_values(content)])]
    lines.append(f"[markdown]{escape(content.prompt)}{{")
    lines += [f"\t{answer}" for answer in _answers(content)]
    if content.explanation is not None:
        lines.append(f"\t####{_rich(content.explanation)}")
    return "\n".join([*lines, "}", ""])


def _comment_values(content: QuestionContent) -> list[str]:
    values = []
    if content.points != 1:
        values.append(comment_value("points", f"{content.points.normalize():f}"))
    if content.type is QuestionType.MULTIPLE_CHOICE:
        values.append(comment_value("partial-credit", content.partial_credit.value.replace("_", "-")))
    if any("->" in text for text in content.accepted_answers):
        values.append(comment_value("type", "short-answer"))
    exact = exact_texts(content, carried)
    return values + [comment_value(f"exact-{name}", text) for name, text in exact.items()]


def _answers(content: QuestionContent) -> list[str]:
    match content.type:
        case QuestionType.TRUE_FALSE:
            return ["TRUE" if content.correct_answer else "FALSE"]
        case QuestionType.SHORT_ANSWER:
            return [_short_answer(text) for text in content.accepted_answers]
        case QuestionType.ESSAY:
            return []
        case QuestionType.MULTIPLE_CHOICE:
            weights = choice_weights(content)
            has_one = not content.allows_several
            return [_option(option, weight, has_one) for option, weight in zip(content.options, weights, strict=True)]


def _option(option: Option, weight: Decimal, is_single: bool) -> str:
    text = _rich(option.text)
    if WEIGHT.match(text) or (not is_single and weight):
        return f"~%{format_weight(weight)}%{text}"
    return f"={text}" if option.is_correct else f"~{text}"


def _rich(text: str) -> str:
    """Return an option or explanation. The format stands before it only if the text itself looks like one."""
    escaped = escape(carried(text))
    return f"[markdown]{escaped}" if FORMAT.match(escaped) else escaped


def _short_answer(text: str) -> str:
    escaped = escape(escape_wild_cards(text))
    return f"=%100%{escaped}" if WEIGHT.match(escaped) else f"={escaped}"
