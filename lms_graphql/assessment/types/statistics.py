"""GraphQL types of the statistics of quizzes, and the field of quizzes that returns them."""

from collections.abc import Mapping
from datetime import datetime

import strawberry

from lms_graphql.assessment.reads.questions import questions_by_quiz
from lms_graphql.assessment.reads.quiz_statistics import question_rows, statistics_by_quiz
from lms_graphql.assessment.statistics import QuestionStatistics as ComputedStatistics
from lms_graphql.assessment.types.questions import ChoiceOption, Question
from lms_graphql.assessment.types.quizzes import IsQuizStaff, Quiz
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import as_graphql, field, object_type, resolver_field
from lms_graphql.graph.schema.permissions import require
from lms_graphql.graph.schema.type_extensions import extend_type


@object_type
class OptionStatistics:
    """Statistics of an option of a multiple-choice question."""

    option: ChoiceOption = field("The option.")
    chosen_count: int = field("Number of attempts in which the option was selected.")


@object_type
class QuestionStatistics:
    """Statistics of a question over the submitted attempts that have it, in any of its versions."""

    question: Question = field("The question as it is now.")
    answered_count: int = field("Number of attempts in which the question was answered.")
    unanswered_count: int = field("Number of attempts in which it was not.")
    full_points_count: int = field("Number of attempts with all points. Essays count as soon as they are graded.")
    partial_points_count: int = field("Number of attempts with some of the points.")
    no_points_count: int = field("Number of attempts without points, among them those without an answer.")
    mean_points_percent: float | None = field(
        "Mean share of the question's points, in percent with two decimals; null before the first graded answer."
    )
    discrimination: float | None = field(
        "Correlation (−1 to 1) of the points for the question with those for all others, over graded attempts. "
        "Null if it is not defined, for example if all have the same points."
    )
    options: list[OptionStatistics] = field(
        "Options of a multiple-choice question, in the author's order; else empty."
    )


@object_type
class QuizStatistics:
    """Statistics of a quiz over its submitted attempts. Scores are in percent with two decimals."""

    id: strawberry.ID = field("Opaque id, unique across all types. `node` returns null for it.")
    as_of: datetime = field("Instant of the statistics, at most five minutes ago.")
    attempt_count: int = field("Number of submitted attempts.")
    learner_count: int = field("Number of learners who have submitted an attempt.")
    passed_learner_count: int = field("Number of learners who have passed the quiz.")
    mean_score_percent: float | None = field("Mean score of graded attempts; null if there are none.")
    median_score_percent: float | None = field("Median score of graded attempts; null if there are none.")
    mean_duration_seconds: int | None = field("Mean time from start to submission, in whole seconds.")
    key: strawberry.Private[int]
    questions_by_key: strawberry.Private[Mapping[int, ComputedStatistics]]

    @resolver_field(name="questions")
    async def quiz_questions(self, info: Info) -> list[QuestionStatistics]:
        """Questions that the quiz has now, in order. Attempts at earlier versions of a question count, too."""
        questions = await info.context.load_async(questions_by_quiz, self.key)
        return as_graphql(question_rows(questions or (), self.questions_by_key))


@extend_type(Quiz, name="statistics", extensions=[require(IsQuizStaff)])
def statistics_of_quiz(quiz: strawberry.Parent[Quiz], info: Info) -> QuizStatistics | None:
    """Course staff only. Statistics of submitted attempts; null before the first one."""
    return info.context.load(statistics_by_quiz, quiz.key)
