"""GraphQL type of quizzes, and the fields of courses and lectures that return them."""

from decimal import Decimal
from typing import Any

import strawberry

from lms_graphql.assessment.models import AttemptStatus, KeptScore, ReviewPolicy
from lms_graphql.assessment.reads import questions, quizzes
from lms_graphql.assessment.types.questions import Question
from lms_graphql.catalog.policies import is_course_staff
from lms_graphql.catalog.reads.courses import courses_by_key
from lms_graphql.catalog.reads.curriculum import lectures_by_key
from lms_graphql.catalog.types.course import Course
from lms_graphql.catalog.types.lecture import Lecture
from lms_graphql.core.actor import Actor
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import expose_enum, field, object_type, resolver_field
from lms_graphql.graph.schema.mutations import UserError, errors_field
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.permissions import Permission, require
from lms_graphql.graph.schema.type_extensions import extend_type

expose_enum(
    ReviewPolicy,
    "When a learner may see what was right in an attempt.",
    NEVER="Never.",
    AFTER_SUBMIT="From the submission of the attempt on.",
    AFTER_LAST_ATTEMPT="When no attempts are left. If attempts are not limited, as soon as the attempt is submitted.",
    AFTER_PASS="When the learner has passed the quiz.",  # noqa: S106 - a text
)
expose_enum(
    KeptScore,
    "Rule by which the attempts of a learner decide about passing.",
    HIGHEST="The best attempt.",
    LATEST="The latest attempt. A quiz that was passed once stays passed.",
    AVERAGE="The average of all attempts. A quiz that was passed once stays passed.",
    FIRST="The first attempt.",
)
expose_enum(
    AttemptStatus,
    "Status of an attempt.",
    IN_PROGRESS="The learner can answer. After the deadline the attempt is submitted as it stands.",
    GRADING="Submitted. A person still has to grade an essay.",
    GRADED="Submitted and graded completely.",
    VOIDED="Does not count. Reserved.",
)


class IsQuizStaff(Permission):
    """Staff of the quiz's course. The parent is a quiz."""

    def allows(self, actor: Actor, source: Any) -> bool:
        return is_course_staff(actor, source)


@object_type
class Quiz(Node):
    """A quiz of a lecture, or of a course as a whole.

    Course staff see every quiz. Learners see published ones if they have access to the course, and all quizzes with
    an attempt of their own.
    """

    title: str = field("Title.")
    description: str | None = field("Description; null if not set.")
    time_limit_seconds: int | None = field("Time for an attempt, in seconds; null if it is not limited.")
    max_attempts: int | None = field("Number of attempts of each learner; null if it is not limited.")
    passing_score: float = field("Score that is needed to pass, in percent.")
    shuffle_questions: bool = field("Whether each attempt has the questions and options in an order of its own.")
    review_policy: ReviewPolicy = field("When a learner may see what was right.")
    kept_score: KeptScore = field("Rule by which the attempts of a learner decide about passing.")
    is_published: bool = field("Whether learners can take the quiz.")
    question_count: int = field("Number of questions.")
    total_points: Decimal = field("Sum of the points of all questions.")
    course_key: strawberry.Private[int]
    lecture_key: strawberry.Private[int | None]
    instructor_key: strawberry.Private[int]

    @resolver_field()
    def course(self, info: Info) -> Course:
        """Course of the quiz."""
        return info.context.load(courses_by_key, self.course_key)

    @resolver_field()
    def lecture(self, info: Info) -> Lecture | None:
        """Lecture of the quiz; null for a quiz of the course as a whole."""
        return None if self.lecture_key is None else info.context.load(lectures_by_key, self.lecture_key)

    @resolver_field(name="questions", extensions=[require(IsQuizStaff)])
    def quiz_questions(self, info: Info) -> list[Question] | None:
        """Course staff only. All questions with their answer keys, in order (at most 200)."""
        return info.context.load_list(questions.questions_by_quiz, self.key)

    @resolver_field()
    async def viewer_attempts_left(self, info: Info) -> int | None:
        """Attempts that the viewer may still start, with their extra attempts; null if they are not limited."""
        limits = await info.context.load_async(quizzes.viewer_limits_by_quiz, self.key)
        return None if limits is None else limits.attempts_left

    @resolver_field()
    async def viewer_time_limit_seconds(self, info: Info) -> int | None:
        """Time for an attempt of the viewer, with their extra time, in seconds; null if it is not limited."""
        limits = await info.context.load_async(quizzes.viewer_limits_by_quiz, self.key)
        return None if limits is None else limits.time_limit_seconds

    @resolver_field()
    def viewer_has_passed(self, info: Info) -> bool:
        """Whether the viewer has passed the quiz."""
        return info.context.load(quizzes.viewer_passed_by_quiz, self.key, False)


@object_type
class QuizPayload:
    """Result of a mutation of a quiz: the quiz, or errors."""

    quiz: Quiz | None = field("The quiz after the change; null if there are errors.", default=None)
    errors: list[UserError] = errors_field()


@extend_type(Course, name="quizzes")
def quizzes_of_course(course: strawberry.Parent[Course], info: Info) -> list[Quiz]:
    """Quizzes of the course that the viewer may see, oldest first (at most 100)."""
    return info.context.load_list(quizzes.quizzes_by_course, course.key)


@extend_type(Lecture, name="quiz")
def quiz_of_lecture(lecture: strawberry.Parent[Lecture], info: Info) -> Quiz | None:
    """Quiz of a QUIZ lecture. Visible to those who may read the lecture's content; for others it is null."""
    return info.context.load(quizzes.quizzes_by_lecture, lecture.key)
