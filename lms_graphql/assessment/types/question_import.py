"""GraphQL types of imports of questions, and the field of quizzes that exports them."""

from typing import Annotated

import strawberry

from lms_graphql.assessment.formats.parsed_questions import ImportSeverity
from lms_graphql.assessment.formats.question_formats import QuestionFormat
from lms_graphql.assessment.reads.question_export import question_files_by_quiz
from lms_graphql.assessment.types.quizzes import IsQuizStaff, Quiz
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import expose_enum, field, object_type
from lms_graphql.graph.schema.mutations import UserError, errors_field
from lms_graphql.graph.schema.permissions import require
from lms_graphql.graph.schema.type_extensions import extend_type

expose_enum(
    QuestionFormat,
    "Format of a file of questions.",
    GIFT="Text format of Moodle. Comments carry points, partial credit and what else it lacks.",
    AIKEN="Text format with single-choice questions only.",
    MOODLE_XML="XML of Moodle's question bank.",
    JSON='Our own format: `{"questions": […]}` with a QuestionInput for each question.',
)
expose_enum(
    ImportSeverity,
    "Severity of a problem of an import.",
    NOTE="The question is imported, but not everything about it, or not exactly.",
    SKIPPED="The question is not imported.",
)


@object_type
class ImportProblem:
    """A part of a file that was not understood, or only in part."""

    line: int = field("Line of the file, from 1: where the question begins, or the line in it that is wrong.")
    severity: ImportSeverity = field("Whether the question is left out.")
    message: str = field("Explanation for users: what is left out, and why.")


@object_type
class ImportQuestionsPayload:
    """Result of an import: the quiz, the number of questions and the problems of the file, or errors."""

    quiz: Quiz | None = field("The quiz after the import; null if there are errors.", default=None)
    imported_count: int = field("Number of questions that are imported, or would be by a dry run.", default=0)
    problems: list[ImportProblem] = strawberry.field(
        description="Everything in the file that is not imported exactly, in the order of its lines.",
        default_factory=list,
    )
    errors: list[UserError] = errors_field()


ExportFormat = Annotated[QuestionFormat, strawberry.argument(description="Format of the file.")]


@extend_type(Quiz, name="export", extensions=[require(IsQuizStaff)])
def export_of_quiz(quiz: strawberry.Parent[Quiz], info: Info, format: ExportFormat) -> str | None:
    """Course staff only. All questions with their answer keys, as the text of a file."""
    return info.context.load(question_files_by_quiz, (quiz.key, format))
