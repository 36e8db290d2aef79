"""GraphQL mutation that imports questions from a file."""

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.assessment.formats.question_formats import QuestionFormat
from lms_graphql.assessment.reads.quizzes import quizzes_by_key
from lms_graphql.assessment.services import question_import
from lms_graphql.assessment.types.question_import import ImportQuestionsPayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import mutation


@input_type()
class ImportQuestionsInput:
    """A file of questions to add to a quiz."""

    quiz_id: strawberry.ID = field("Id of the quiz.")
    format: QuestionFormat = field("Format of the file.")
    text: str = field("Text of the file, at most 500,000 bytes in UTF-8.")
    dry_run: bool | None = field("Whether the file is only checked, and nothing is written.", default=False)


@strawberry.type
class QuestionImportMutations:
    @mutation(has_permission("quiz:create"))
    async def import_questions(self, info: Info, input: ImportQuestionsInput) -> ImportQuestionsPayload | None:
        """
        Add the questions of a file to a quiz, after those that are there. `problems` lists what is left out, and
        why. Only the course's instructor and super admins can do this.

        Returns LIMIT_REACHED if the quiz would have more than 200 questions. Returns INVALID if the file cannot be
        read at all, for example XML with a DOCTYPE.
        """
        file = await info.context.read(question_import.read_question_file, input.quiz_id, input.format, input.text)
        key = await info.context.write(
            question_import.import_questions, input.quiz_id, file.questions, bool(input.dry_run)
        )
        quiz = await info.context.load_async(quizzes_by_key, key)
        problems = list(file.problems)
        return ImportQuestionsPayload(quiz=quiz, imported_count=len(file.questions), problems=problems)
