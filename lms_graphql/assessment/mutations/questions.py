"""GraphQL mutations with which course staff write the questions of a quiz."""

from dataclasses import asdict
from decimal import Decimal
from functools import partial
from typing import Any

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.assessment.models import PartialCredit, QuestionType, RegradePolicy
from lms_graphql.assessment.reads.questions import questions_by_key
from lms_graphql.assessment.reads.quizzes import quizzes_by_key
from lms_graphql.assessment.services import questions, regrading
from lms_graphql.assessment.services.quiz_locks import peek_course_key
from lms_graphql.assessment.types.questions import QuestionPayload, RegradeQuestionPayload
from lms_graphql.assessment.types.quizzes import QuizPayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.idempotency import IDEMPOTENCY_KEY, created_payload, once
from lms_graphql.graph.schema.mutations import DeletePayload, mutation, payload

PROMPT = "Text of the question: Markdown, at most 10,000 characters."
POINTS = "Points for a correct answer (0.01–1,000, at most two decimals)."
EXPLANATION = "Explanation that learners see with the result, at most 10,000 characters."


@input_type()
class ChoiceOptionInput:
    """An option of a multiple-choice question."""

    text: str = field("Text, at most 1,000 characters, different from the other options.")
    is_correct: bool = field("Whether the option is correct.")


@input_type()
class MultipleChoiceInput:
    """A question with options, of which one or several are correct."""

    prompt: str = field(PROMPT)
    points: Decimal | None = field(POINTS, default=Decimal(1))
    explanation: str | None = field(EXPLANATION, default=None)
    options: list[ChoiceOptionInput] = field("Options (2–20), at least one of them correct.")
    partial_credit: PartialCredit | None = field(
        "How several correct options give points.", default=PartialCredit.ALL_OR_NOTHING
    )


@input_type()
class TrueFalseInput:
    """A statement that is true or false."""

    prompt: str = field(PROMPT)
    points: Decimal | None = field(POINTS, default=Decimal(1))
    explanation: str | None = field(EXPLANATION, default=None)
    correct_answer: bool = field("Whether the statement is true.")


@input_type()
class ShortAnswerInput:
    """A question that is answered with a few words."""

    prompt: str = field(PROMPT)
    points: Decimal | None = field(POINTS, default=Decimal(1))
    explanation: str | None = field(EXPLANATION, default=None)
    accepted_answers: list[str] = field("Answers that are correct (1–50, each at most 200 characters).")


@input_type()
class EssayInput:
    """A question whose answer is a text that a person grades."""

    prompt: str = field(PROMPT)
    points: Decimal | None = field(POINTS, default=Decimal(1))
    explanation: str | None = field(EXPLANATION, default=None)


@input_type(one_of=True)
class QuestionInput:
    """A question, by its type."""

    multiple_choice: strawberry.Maybe[MultipleChoiceInput] = field("A multiple-choice question.")
    true_false: strawberry.Maybe[TrueFalseInput] = field("A true/false question.")
    short_answer: strawberry.Maybe[ShortAnswerInput] = field("A short-answer question.")
    essay: strawberry.Maybe[EssayInput] = field("An essay question.")


@input_type()
class AddQuestionInput:
    """A question to add to a quiz."""

    quiz_id: strawberry.ID = field("Id of the quiz.")
    question: QuestionInput = field("The question.")
    position: int | None = field("Position in the quiz, from 0; at the end if omitted.", default=None)
    idempotency_key: str | None = field(IDEMPOTENCY_KEY, default=None)


@input_type()
class UpdateQuestionInput:
    """The new content of a question. An omitted field takes its default. The type stays."""

    question_id: strawberry.ID = field("Id of the question.")
    question: QuestionInput = field("The question.")


@input_type()
class QuestionIdInput:
    """The question to delete."""

    question_id: strawberry.ID = field("Id of the question.")


@input_type()
class ReorderQuestionsInput:
    """The order of all questions of a quiz."""

    quiz_id: strawberry.ID = field("Id of the quiz.")
    question_ids: list[strawberry.ID] = field("Ids of all questions of the quiz, each exactly once.")


@input_type()
class RegradeQuestionInput:
    """A question to score again."""

    question_id: strawberry.ID = field("Id of the question.")
    policy: RegradePolicy | None = field("How points change.", default=RegradePolicy.KEEP_BETTER)


@strawberry.type
class QuizQuestionMutations:
    @mutation(has_permission("quiz:create"))
    async def add_question(self, info: Info, input: AddQuestionInput) -> QuestionPayload | None:
        """
        Add a question to a quiz. Attempts that were started do not get it. Only the course's instructor and super
        admins can do this.

        Returns LIMIT_REACHED if the quiz has 200 questions.
        """
        kind, values = _typed(input.question)
        look_up = partial(peek_course_key, quiz_id=input.quiz_id)
        add = once(info, input, questions.add_question, look_up=look_up)
        key = await info.context.write(add, input.quiz_id, kind, values, input.position)
        return await created_payload(info.context, input, QuestionPayload, question=(questions_by_key, key))

    @mutation(has_permission("quiz:create"))
    async def update_question(self, info: Info, input: UpdateQuestionInput) -> QuestionPayload | None:
        """
        Replace the content of a question. Attempts that were started keep the previous content. Only the course's
        instructor and super admins can do this.

        Returns INVALID for another type of question.
        """
        kind, values = _typed(input.question)
        key = await info.context.write(questions.update_question, input.question_id, kind, values)
        return await payload(info.context, QuestionPayload, question=(questions_by_key, key))

    @mutation(has_permission("quiz:create"))
    async def delete_question(self, info: Info, input: QuestionIdInput) -> DeletePayload | None:
        """
        Delete a question. Attempts that were started keep it. Only the course's instructor and super admins can do
        this.

        Returns NOT_READY for the last question of a published quiz.
        """
        course = await info.context.write(questions.delete_question, input.question_id)
        return DeletePayload(deleted_id=input.question_id, course_key=course)

    @mutation(has_permission("quiz:create"))
    async def reorder_questions(self, info: Info, input: ReorderQuestionsInput) -> QuizPayload | None:
        """Change the order of all questions of a quiz. Only the course's instructor and super admins can do this.

        Returns INVALID unless the list names every question exactly once.
        """
        key = await info.context.write(questions.reorder_questions, input.quiz_id, input.question_ids)
        return await payload(info.context, QuizPayload, quiz=(quizzes_by_key, key))

    @mutation(has_permission("attempt:grade"))
    async def regrade_question(self, info: Info, input: RegradeQuestionInput) -> RegradeQuestionPayload | None:
        """
        Score a question again in all attempts that hold it, by its present key, points and partial credit. At most
        500 attempts are regraded at once, and the others in the background. Completed courses and certificates stay.
        Only the course's instructor and super admins can do this.
        """
        policy = input.policy or RegradePolicy.KEEP_BETTER
        result = await info.context.write(regrading.regrade_question, input.question_id, policy)
        question = await info.context.load_async(questions_by_key, result.question_key)
        return RegradeQuestionPayload(question=question, regraded_count=result.regraded, pending_count=result.pending)


def _typed(question: QuestionInput) -> tuple[QuestionType, dict[str, Any]]:
    """Return the type of the question and the fields of the only member that is set."""
    ((name, member),) = ((name, value) for name, value in vars(question).items() if value is not None)
    return QuestionType(name), asdict(member.value)
