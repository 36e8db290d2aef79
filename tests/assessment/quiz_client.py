"""Mutations of quizzes, questions and attempts, and what tests read of them."""

from typing import Any, ClassVar

from tests.mutation_client import MutationClient

QUIZ = (
    "quiz { id title description timeLimitSeconds maxAttempts passingScore shuffleQuestions reviewPolicy keptScore "
    "isPublished questionCount totalPoints questions { ...question } }"
)
QUESTION_FRAGMENT = """
fragment question on Question { id type prompt points position explanation
  ... on MultipleChoiceQuestion { partialCredit options { id text isCorrect } }
  ... on TrueFalseQuestion { correctAnswer }
  ... on ShortAnswerQuestion { acceptedAnswers }
}
"""
ATTEMPT_FRAGMENT = """
fragment attempt on QuizAttempt {
  id number status startedAt deadlineAt submittedAt remainingSeconds totalPoints earnedPoints scorePercent passed
  questions {
    id type prompt points options { id text } allowsSeveral answer { optionIds boolean text }
    result { isCorrect earnedPoints feedback correctOptionIds correctAnswer explanation }
  }
}
"""


class QuizClient(MutationClient):
    documents: ClassVar[dict[str, tuple[str, str]]] = {
        "createQuiz": ("CreateQuizInput", QUIZ),
        "updateQuiz": ("UpdateQuizInput", QUIZ),
        "setQuizPublished": ("SetQuizPublishedInput", QUIZ),
        "deleteQuiz": ("QuizIdInput", "deletedId"),
        "addQuestion": ("AddQuestionInput", "question { ...question }"),
        "updateQuestion": ("UpdateQuestionInput", "question { ...question }"),
        "deleteQuestion": ("QuestionIdInput", "deletedId"),
        "reorderQuestions": ("ReorderQuestionsInput", QUIZ),
        "setQuizAccommodation": (
            "SetQuizAccommodationInput",
            "accommodation { id extraTimePercent extraAttempts note user { id } quiz { id } }",
        ),
        "startQuizAttempt": ("StartQuizAttemptInput", "attempt { ...attempt }"),
        "saveAnswer": ("SaveAnswerInput", "attempt { ...attempt }"),
        "submitQuizAttempt": ("SubmitQuizAttemptInput", "attempt { ...attempt }"),
        "gradeAnswer": ("GradeAnswerInput", "attempt { ...attempt }"),
        "importQuestions": (
            "ImportQuestionsInput",
            f"{QUIZ} importedCount problems {{ line severity message }}",
        ),
        "regradeQuestion": ("RegradeQuestionInput", "question { ...question } regradedCount pendingCount"),
    }

    @classmethod
    def document(cls, mutation: str) -> str:
        document = super().document(mutation)
        fragments = {"...question": QUESTION_FRAGMENT, "...attempt": ATTEMPT_FRAGMENT}
        return document + "".join(text for spread, text in fragments.items() if spread in document)

    def create_quiz(self, course_id: str, *questions: dict[str, Any], is_published: bool = True, **input: Any) -> Any:
        """Create a quiz with these questions, by default published, and return it."""
        quiz = self.ok("createQuiz", courseId=course_id, title="Quiz", **input)
        for question in questions:
            self.ok("addQuestion", quizId=quiz["id"], question=question)
        return self.ok("setQuizPublished", quizId=quiz["id"], isPublished=is_published)

    def start(self, quiz_id: str) -> Any:
        return self.ok("startQuizAttempt", quizId=quiz_id)

    def save(self, attempt: Any, index: int, **answer: Any) -> Any:
        """Save the answer to the question at this place of the attempt."""
        question_id = attempt["questions"][index]["id"]
        return self.ok("saveAnswer", attemptId=attempt["id"], questionId=question_id, answer=answer)

    def select(self, attempt: Any, index: int, *texts: str) -> Any:
        """Select the options with these texts."""
        options = {option["text"]: option["id"] for option in attempt["questions"][index]["options"]}
        return self.save(attempt, index, optionIds=[options[text] for text in texts])

    def submit(self, attempt: Any) -> Any:
        return self.ok("submitQuizAttempt", attemptId=attempt["id"])

    def attempt(self, attempt_id: str) -> Any:
        """Read an attempt by its id."""
        document = "query Q($id: ID!) { node(id: $id) { ...attempt } }" + ATTEMPT_FRAGMENT
        return self._client.execute(document, as_=self.actor, id=attempt_id)["node"]


def choice(*right: str, wrong: tuple[str, ...] = ("no",), **values: Any) -> dict[str, Any]:
    """Return the input of a multiple-choice question."""
    options = [{"text": text, "isCorrect": True} for text in right]
    options += [{"text": text, "isCorrect": False} for text in wrong]
    return {"multipleChoice": {"prompt": "Which?", "options": options, **values}}


def true_false(answer: bool = True, **values: Any) -> dict[str, Any]:
    return {"trueFalse": {"prompt": "Is it so?", "correctAnswer": answer, **values}}


def short_answer(*accepted: str, **values: Any) -> dict[str, Any]:
    return {"shortAnswer": {"prompt": "What?", "acceptedAnswers": list(accepted), **values}}


def essay(**values: Any) -> dict[str, Any]:
    return {"essay": {"prompt": "Why?", **values}}
