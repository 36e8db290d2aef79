"""Mutations that return objects, whose payloads are compared with the access matrix."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type

from tests.access_matrix.checker import MatrixResult, ResponseChecker
from tests.access_matrix.fixture_objects import ROLE_BY_VIEWER, FixtureObjects
from tests.access_matrix.fixtures.learning import FUTURE, INVITATION_TOKEN
from tests.access_matrix.paths import RootSelection, is_value
from tests.access_matrix.runner import SCHEMA, MatrixRunner
from tests.factories import PASSWORD

REGISTRATION = {
    "email": "newcomer@example.com",
    "username": "newcomer",
    "password": "a long enough one",
    "firstName": "New",
    "lastName": "Comer",
}
Tokens = dict[str, str]
"""Refresh tokens by viewer."""


@dataclass(frozen=True)
class Case:
    """A mutation that succeeds."""

    mutation: str
    sender: str
    input: Mapping[str, Any] | Callable[[Tokens], Mapping[str, Any]]
    reader: str = ""
    """Viewer of the payload, if it is not the sender: a login is sent by an anonymous viewer."""
    returns: str = ""
    """Labels of the returned objects; by default, the reader's user."""
    creates: bool = False
    """True if it returns objects that are no fixtures."""


def cases(objects: FixtureObjects) -> Iterator[Case]:
    """Yield the cases in an order in which each succeeds."""
    for viewer in ROLE_BY_VIEWER:
        credentials = {"email": objects.users[viewer].email, "password": PASSWORD}
        yield Case("login", "anonymous", credentials, reader=viewer)
        yield Case("updateProfile", viewer, {})
    yield Case(
        "refreshSession", "anonymous", lambda tokens: {"refreshToken": tokens.get("learner", "")}, reader="learner"
    )
    passwords = {"currentPassword": PASSWORD, "newPassword": "another long enough one"}
    yield Case("changePassword", "learner", passwords)
    yield Case("register", "anonymous", REGISTRATION, reader="learner", creates=True)
    new_user = {**REGISTRATION, "email": "another@example.com", "username": "another", "role": "LEARNER"}
    yield Case("createUser", "admin", new_user, creates=True)
    yield Case("setUserRole", "admin", {"userId": objects.global_id("learner"), "role": "LEARNER"}, returns="learner")
    yield Case("suspendUser", "admin", {"userId": objects.global_id("suspended")}, returns="suspended")
    yield Case("activateUser", "admin", {"userId": objects.global_id("instructor")}, returns="instructor")
    yield Case("applyToTeach", "learner", {"motivation": "Because.", "experience": "Some."}, creates=True)
    review = {"applicationId": objects.global_id("pending"), "approve": True}
    yield Case("reviewInstructorApplication", "admin", review, returns="pending")
    yield from discussion_cases(objects)
    certificate = {"certificateId": objects.global_id("valid")}
    yield Case("revokeCertificate", "admin", {**certificate, "reason": "ERROR"}, returns="valid")
    yield Case("reinstateCertificate", "admin", certificate, returns="valid")
    yield from learning_cases(objects)
    yield from billing_cases(objects)
    lecture, returns = (
        {"lectureId": objects.global_id("published-closed")},
        "published-enrolled-lecture published-enrolled",
    )
    report = {**lecture, "positionSeconds": 0, "watched": []}
    yield Case("recordLectureProgress", "enrolled", report, returns=returns)
    yield Case("setLectureCompleted", "enrolled", {**lecture, "isCompleted": True}, returns=returns)
    yield from catalog_cases(objects)
    yield from attempt_cases(objects)
    yield from quiz_cases(objects)
    yield from curriculum_cases(objects)
    yield from discussion_creation_cases(objects)
    yield from new_enrollment_cases(objects)
    yield from deletion_cases(objects)


def catalog_cases(objects: FixtureObjects) -> Iterator[Case]:
    """Yield changes that keep all markers, then creations."""
    yield Case("updateCategory", "admin", {"categoryId": objects.global_id("child")}, returns="child")
    for sender, mutation, label in (
        ("instructor", "updateCourse", "draft"),
        ("colleague", "updateCourse", "otherdraft"),
        ("admin", "updateCourse", "orphan"),
        ("instructor", "publishCourse", "published"),
        ("instructor", "archiveCourse", "archived"),
        ("instructor", "unpublishCourse", "draft"),
    ):
        yield Case(mutation, sender, {"courseId": objects.global_id(label)}, returns=label)
    for owner, label in (("instructor", "published"), ("colleague", "otherdraft")):  # the owners stay
        kept = {"courseId": objects.global_id(label), "instructorId": objects.global_id(owner)}
        yield Case("transferCourse", "admin", kept, returns=label)
    yield Case("createCategory", "admin", {"name": "New"}, creates=True)
    yield Case("createCourse", "instructor", {"title": "New", "description": "Words."}, creates=True)


def curriculum_cases(objects: FixtureObjects) -> Iterator[Case]:
    """Yield changes to the values and positions that are set already, then creations."""
    for sender, label in (
        ("instructor", "published"),
        ("instructor", "archived"),
        ("colleague", "otherdraft"),
        ("admin", "orphan"),
    ):
        section, other, empty, first, second = (
            objects.global_id(f"{label}-{part}") for part in ("s1", "s2", "emptysection", "preview", "closed")
        )
        course, in_section = {"courseId": objects.global_id(label)}, {"sectionId": section}
        yield Case("updateSection", sender, in_section, returns=f"{label}-s1")
        yield Case("reorderSections", sender, {**course, "sectionIds": [section, other, empty]}, returns=label)
        yield Case("updateLecture", sender, {"lectureId": second}, returns=f"{label}-closed")
        moved = {**in_section, "lectureId": second, "position": 1}
        yield Case("moveLecture", sender, moved, returns=f"{label}-closed")
        yield Case("reorderLectures", sender, {**in_section, "lectureIds": [first, second]}, returns=f"{label}-s1")
        yield Case(
            "createLecture", sender, {**in_section, "title": "New", "type": "TEXT", "body": "Words"}, creates=True
        )
        yield Case("createSection", sender, {**course, "title": "New"}, creates=True)


def attempt_cases(objects: FixtureObjects) -> Iterator[Case]:
    """Yield mutations of attempts that change nothing that a viewer reads."""
    quiz = {"quizId": objects.global_id("quiz-reviewed")}
    yield Case("startQuizAttempt", "enrolled", quiz, returns="attempt-open")
    essay = objects.by_label["attempt-open-essay"]
    answer = {"attemptId": objects.global_id("attempt-open"), "questionId": essay.global_id}
    unchanged = {**answer, "answer": {"text": essay.markers["AttemptAnswer.text"]}}
    yield Case("saveAnswer", "enrolled", unchanged, returns="attempt-open")
    for learner, label in (("enrolled", "graded"), ("enrolled", "never"), ("cancelled", "ended")):
        attempt = {"attemptId": objects.global_id(f"attempt-{label}")}
        yield Case("submitQuizAttempt", learner, attempt, returns=f"attempt-{label}")
    for grader, label in (("instructor", "graded"), ("admin", "never")):
        essay = objects.by_label[f"attempt-{label}-essay"]
        answer = {"attemptId": objects.global_id(f"attempt-{label}"), "questionId": essay.global_id}
        grade = {**answer, "points": "1", "feedback": essay.markers["AnswerResult.feedback"]}
        yield Case("gradeAnswer", grader, grade, returns=f"attempt-{label}")
    for sender in ("instructor", "admin"):
        label = "accommodation-reviewed-cancelled"
        note = objects.by_label[label].markers["QuizAccommodation.note"]
        learner_id = {"userId": objects.global_id("cancelled"), "extraAttempts": 1, "note": note}
        yield Case("setQuizAccommodation", sender, {**quiz, **learner_id}, returns=label)


def quiz_cases(objects: FixtureObjects) -> Iterator[Case]:
    """Yield changes of quizzes that keep all markers, then creations."""
    for sender, label in (("instructor", "draft"), ("colleague", "otherdraft"), ("admin", "unpublished")):
        key, quiz = f"key-{label}-choice", {"quizId": objects.global_id(f"quiz-{label}")}
        question = {"questionId": objects.global_id(key)}
        yield Case("updateQuiz", sender, quiz, returns=f"quiz-{label}")
        published = {**quiz, "isPublished": label != "unpublished"}
        yield Case("setQuizPublished", sender, published, returns=f"quiz-{label}")
        order = {**quiz, "questionIds": [question["questionId"]]}
        yield Case("reorderQuestions", sender, order, returns=f"quiz-{label}")
        yield Case("updateQuestion", sender, {**question, "question": unchanged_choice(objects, key)}, returns=key)
        yield Case("regradeQuestion", sender, question, returns=key)
        content = {"multipleChoice": {"prompt": "Words?", "options": CHOICES}}
        file = {**quiz, "format": "GIFT", "text": "x {T}", "dryRun": True}
        yield Case("importQuestions", sender, file, returns=f"quiz-{label}")
        yield Case("addQuestion", sender, {**quiz, "question": content}, creates=True)
    new_quiz = {"courseId": objects.global_id("draft"), "title": "New"}
    yield Case("createQuiz", "instructor", new_quiz, creates=True)


CHOICES = [{"text": "One", "isCorrect": True}, {"text": "Two", "isCorrect": False}]


def unchanged_choice(objects: FixtureObjects, label: str) -> dict[str, Any]:
    """Return the input that leaves a multiple-choice question as it is."""
    markers = objects.by_label[label].markers
    texts = [objects.by_label[f"{label}-{name}"].markers["ChoiceOption.text"] for name in ("right", "wrong")]
    return {
        "multipleChoice": {
            "prompt": markers["MultipleChoiceQuestion.prompt"],
            "explanation": markers["MultipleChoiceQuestion.explanation"],
            "options": [{"text": text, "isCorrect": text == texts[0]} for text in texts],
        }
    }


def discussion_cases(objects: FixtureObjects) -> Iterator[Case]:
    """Yield changes that keep all markers."""
    note, label = "note-published-closed", "question-published-closed"
    answer = objects.by_label["answer-published-closed"]
    question, answer_id = {"questionId": objects.global_id(label)}, {"answerId": answer.global_id}
    yield Case("updateNote", "enrolled", {"noteId": objects.global_id(note)}, returns=note)
    yield Case("updateQaQuestion", "enrolled", question, returns=label)
    yield Case("featureQaQuestion", "admin", {**question, "isFeatured": True}, returns=label)
    yield Case("voteQaQuestion", "instructor", {**question, "vote": True}, returns=label)
    yield Case("acceptAnswer", "enrolled", {**question, **answer_id}, returns=label)
    yield Case("voteQaAnswer", "enrolled", {**answer_id, "vote": True}, returns=answer.label)
    unchanged = {**answer_id, "content": answer.markers["QAAnswer.content"]}
    yield Case("updateQaAnswer", "instructor", unchanged, returns=answer.label)


def learning_cases(objects: FixtureObjects) -> Iterator[Case]:
    """Yield mutations of enrollments that change nothing."""
    course, enrollment = {"courseId": objects.global_id("published")}, "published-enrolled"
    yield Case("enroll", "enrolled", course, returns=enrollment)
    granted = {**course, "userId": objects.global_id("enrolled"), "accessExpiresAt": FUTURE.isoformat()}
    yield Case("grantEnrollment", "instructor", granted, returns=enrollment)
    for viewer in ("instructor", "admin"):
        label = "published-invitation-cancelled"
        yield Case("cancelInvitation", viewer, {"invitationId": objects.global_id(label)}, returns=label)
    for viewer in ("cancelled", "instructor", "admin"):
        cancelled = {"enrollmentId": objects.global_id("published-cancelled")}
        yield Case("cancelEnrollment", viewer, cancelled, returns="published-cancelled")


def billing_cases(objects: FixtureObjects) -> Iterator[Case]:
    """Yield mutations of money that change nothing, then a payout run and a refund."""
    for viewer in ("cancelled", "admin"):
        unpaid = {"transactionId": objects.global_id("transaction-unpaid")}
        yield Case("cancelTransaction", viewer, unpaid, returns="transaction-unpaid")
    sale = {"transactionId": objects.global_id("transaction-sale")}
    yield Case("confirmBankTransfer", "admin", sale, returns="transaction-sale")
    payout = {"payoutId": objects.global_id("payout-instructor"), "outcome": "PAID"}
    yield Case("settlePayout", "admin", payout, returns="payout-instructor")
    yield Case("setCommissionRate", "admin", {"userId": objects.global_id("colleague")}, returns="colleague")
    run = {"periodEnd": FUTURE.isoformat(), "idempotencyKey": "a key"}
    yield Case("runPayouts", "admin", run, creates=True)
    refund = {**sale, "amount": "0.01", "reason": "A reason", "idempotencyKey": "a key"}
    yield Case("refundTransaction", "admin", refund, creates=True)


def new_enrollment_cases(objects: FixtureObjects) -> Iterator[Case]:
    """Yield new enrollments. They are last, because their learners belong to other groups afterwards."""
    course = {"courseId": objects.global_id("orphan")}
    yield Case("enroll", "colleague", course, creates=True)
    invited = {"courseId": objects.global_id("published"), "emails": ["newcomer@example.com"], "message": "Words"}
    yield Case("inviteLearners", "instructor", invited, creates=True)
    yield Case("acceptInvitation", "cancelled", {"token": INVITATION_TOKEN}, creates=True)
    yield Case("grantEnrollment", "admin", {**course, "userId": objects.global_id("applicant")}, creates=True)
    purchase = {**course, "paymentMethod": "FREE", "expectedPrice": 0, "idempotencyKey": "a key"}
    yield Case("purchaseCourse", "learner", purchase, creates=True)


def discussion_creation_cases(objects: FixtureObjects) -> Iterator[Case]:
    question = {"questionId": objects.global_id("question-published-closed"), "content": "Words"}
    lecture = {"lectureId": objects.global_id("published-closed"), "content": "Words"}
    yield Case("answerQuestion", "enrolled", question, creates=True)
    yield Case("createNote", "enrolled", lecture, creates=True)
    yield Case("askQuestion", "enrolled", {**lecture, "title": "Words"}, creates=True)


def deletion_cases(objects: FixtureObjects) -> Iterator[Case]:
    """Yield deletions in courses, which have objects in them that were created before."""
    for sender, mutation, name, label in (
        ("enrolled", "deleteNote", "noteId", "note-published-closed"),
        ("admin", "deleteQaAnswer", "answerId", "answer-published-closed"),
        ("enrolled", "deleteQaQuestion", "questionId", "question-published-closed"),
        ("instructor", "deleteQuestion", "questionId", "key-draft-choice"),
        ("admin", "deleteQuiz", "quizId", "quiz-draft"),
        ("instructor", "deleteLecture", "lectureId", "draft-closed"),
        ("colleague", "deleteSection", "sectionId", "otherdraft-emptysection"),
    ):
        yield Case(mutation, sender, {name: objects.global_id(label)}, creates=True)


DELETIONS_WITHOUT_COURSE = {"deleteUser", "deleteCategory", "deleteCourse"}
"""Mutations whose `DeletePayload.course` is always null."""


def mutations_with_objects() -> set[str]:
    """Return the mutations whose payloads may have objects beside `errors`."""
    assert SCHEMA.mutation_type is not None
    fields = SCHEMA.mutation_type.fields.items()
    return {name for name, field in fields if _has_objects(get_named_type(field.type))} - DELETIONS_WITHOUT_COURSE


def _has_objects(payload: object) -> bool:
    assert isinstance(payload, GraphQLObjectType)
    types = [get_named_type(field.type) for field in payload.fields.values()]
    return any(
        isinstance(graphql_type, GraphQLObjectType | GraphQLInterfaceType) and graphql_type.name != "UserError"
        for graphql_type in types
    )


def run_mutations(runner: MatrixRunner) -> MatrixResult:
    """Send each case in turn and return all violations."""
    result, tokens = MatrixResult(), Tokens()
    for case in cases(runner.objects):
        reader = case.reader or case.sender
        values = case.input(tokens) if callable(case.input) else case.input
        body = runner.client.graphql(
            _document(runner, case.mutation), as_=runner.objects.actor(case.sender), input=values
        )
        checker = ResponseChecker(runner.objects, SCHEMA, result, reader, creates=case.creates)
        checker.check("Mutation", body, {case.mutation: RootSelection(case.mutation, case.mutation, "", None)})
        payload = (body.get("data") or {}).get(case.mutation) or {"errors": body}
        if payload["errors"]:
            result.violations.append(f"{reader}: {case.mutation} fails: {payload['errors']}")
            continue
        expected = {runner.objects.global_id(label) for label in (case.returns or reader).split()}
        if not case.creates and _returned_ids(payload) != expected:
            result.violations.append(f"{reader}: {case.mutation} returns other objects: {_returned_ids(payload)}")
        if session := payload.get("session"):
            tokens[reader] = session["refreshToken"]
    return result


def _returned_ids(value: Any) -> set[str]:
    """Return the ids of the outermost objects."""
    if not isinstance(value, dict):
        return set()
    return {value["id"]} if "id" in value else set().union(*map(_returned_ids, value.values()))


def _document(runner: MatrixRunner, mutation: str) -> str:
    assert SCHEMA.mutation_type is not None
    field = SCHEMA.mutation_type.fields[mutation]
    payload = get_named_type(field.type)
    assert is_value(payload)
    begin = f"mutation ($input: {field.args['input'].type}) {{ {mutation}(input: $input) {{ "
    texts = [runner.paths.with_fragments(f"{begin}{runner.paths.payload(payload, edges)} }} }}") for edges in (2, 1)]
    return next(text for text in texts if runner.is_short(text))
