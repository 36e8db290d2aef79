"""GraphQL types of questions with their answer keys, for course staff."""

from decimal import Decimal

import strawberry

from lms_graphql.assessment.models import PartialCredit, QuestionType, RegradePolicy
from lms_graphql.graph.schema.fields import expose_enum, field, interface, object_type
from lms_graphql.graph.schema.mutations import UserError, errors_field
from lms_graphql.graph.schema.node import Node

expose_enum(
    QuestionType,
    "Type of a question.",
    MULTIPLE_CHOICE="Options, of which one or several are correct.",
    TRUE_FALSE="A statement that is true or false.",
    SHORT_ANSWER="A word or a few words, compared with accepted answers.",
    ESSAY="A text that a person grades.",
)
expose_enum(
    PartialCredit,
    "How a multiple-choice question with several correct options gives points.",
    ALL_OR_NOTHING="All points for exactly the correct options, else none.",
    RIGHT_MINUS_WRONG="A share for each correct option selected, minus one for each wrong one; never below 0.",
    RIGHT_ONLY="A share for each correct option that is selected; nothing if every option is selected.",
)
expose_enum(
    RegradePolicy,
    "How a regrade changes points.",
    NEW_KEY="Points by the present key.",
    KEEP_BETTER="Points by the present key, or the previous ones if they were higher.",
    FULL_POINTS="All points for everyone who met the question.",
)


@interface
class Question(Node):
    """A question of a quiz with its answer key. Only course staff can see it."""

    type: QuestionType = field("Type of the question. It never changes.")
    prompt: str = field("Text of the question: Markdown, exactly as written.")
    points: Decimal = field("Points for a correct answer, with at most two decimals.")
    position: int = field("Position within the quiz, from 0.")
    explanation: str | None = field("Explanation that learners see with the result; null if not set.")


@object_type
class ChoiceOption:
    """An option of a multiple-choice question."""

    id: strawberry.ID = field("Opaque id. It stays while the text of the option stays.")
    text: str = field("Text of the option.")
    is_correct: bool = field("Whether the option is correct.")


@object_type
class MultipleChoiceQuestion(Question):
    """A question with options, of which one or several are correct."""

    options: list[ChoiceOption] = field("Options in the order of the author (2–20).")
    partial_credit: PartialCredit = field("How several correct options give points.")


@object_type
class TrueFalseQuestion(Question):
    """A statement that is true or false."""

    correct_answer: bool = field("Whether the statement is true.")


@object_type
class ShortAnswerQuestion(Question):
    """A question that is answered with a few words. Case, spaces around and width of characters do not matter."""

    accepted_answers: list[str] = field("Answers that are correct.")


@object_type
class EssayQuestion(Question):
    """A question whose answer is a text that a person grades."""


@object_type
class QuestionPayload:
    """Result of a mutation of a question: the question, or errors."""

    question: Question | None = field("The question after the change; null if there are errors.", default=None)
    errors: list[UserError] = errors_field()


@object_type
class RegradeQuestionPayload:
    """Result of regrading a question: the question and numbers of attempts, or errors."""

    question: Question | None = field("The question; null if there are errors.", default=None)
    regraded_count: int = field("Number of attempts that are regraded.", default=0)
    pending_count: int = field("Number of attempts that maintenance regrades in the background.", default=0)
    errors: list[UserError] = errors_field()
