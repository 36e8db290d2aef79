"""Permissions of roles: the table in the API guide, the table in the code, and those of all mutations, over HTTP."""

from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

from lms_graphql.accounts.roles import PERMISSIONS
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from lms_graphql.schema import schema
from tests.factories import Factories
from tests.live_service import Client

API_GUIDE = Path(__file__).parent.parent.parent / "docs" / "api-guide.md"
HEADING = "### Permissions of each role"
COLUMNS = {"super admin": Role.SUPER_ADMIN, "instructor": Role.INSTRUCTOR, "learner": Role.LEARNER}
PERMISSION_NAMES = sorted(set().union(*PERMISSIONS.values()))

ANYONE = "anyone"
SIGNED_IN = "any user"
LEARNERS = "learners only"
REQUIREMENTS = {
    "login": ANYONE,
    "logout": ANYONE,
    "register": ANYONE,
    "refreshSession": ANYONE,
    "requestPasswordReset": ANYONE,
    "resetPassword": ANYONE,
    "verifyEmail": ANYONE,
    "confirmEmailChange": ANYONE,
    "changePassword": SIGNED_IN,
    "deleteUser": SIGNED_IN,
    "logoutEverywhere": SIGNED_IN,
    "requestEmailVerification": SIGNED_IN,
    "requestEmailChange": SIGNED_IN,
    "endSession": SIGNED_IN,
    "updateProfile": SIGNED_IN,
    "applyToTeach": LEARNERS,
    "createUser": "user:manage",
    "setUserRole": "user:manage",
    "suspendUser": "user:manage",
    "activateUser": "user:manage",
    "reviewInstructorApplication": "application:review",
    "enroll": "course:enroll",
    "grantEnrollment": "enrollment:grant",
    "cancelEnrollment": SIGNED_IN,
    "inviteLearners": "enrollment:grant",
    "acceptInvitation": "course:enroll",
    "cancelInvitation": "enrollment:grant",
    "revokeCertificate": "certificate:revoke",
    "reinstateCertificate": "certificate:revoke",
    "createCategory": "category:manage",
    "updateCategory": "category:manage",
    "deleteCategory": "category:manage",
    "createCourse": "course:create",
    "updateCourse": "course:edit-own",
    "publishCourse": "course:edit-own",
    "unpublishCourse": "course:edit-own",
    "archiveCourse": "course:edit-own",
    "transferCourse": "course:transfer",
    "deleteCourse": "course:edit-own",
    "createSection": "course:edit-own",
    "updateSection": "course:edit-own",
    "deleteSection": "course:edit-own",
    "reorderSections": "course:edit-own",
    "createLecture": "course:edit-own",
    "updateLecture": "course:edit-own",
    "deleteLecture": "course:edit-own",
    "moveLecture": "course:edit-own",
    "reorderLectures": "course:edit-own",
    "createQuiz": "quiz:create",
    "updateQuiz": "quiz:create",
    "setQuizPublished": "quiz:create",
    "deleteQuiz": "quiz:create",
    "addQuestion": "quiz:create",
    "updateQuestion": "quiz:create",
    "deleteQuestion": "quiz:create",
    "reorderQuestions": "quiz:create",
    "importQuestions": "quiz:create",
    "setQuizAccommodation": "attempt:grade",
    "gradeAnswer": "attempt:grade",
    "regradeQuestion": "attempt:grade",
    "startQuizAttempt": "quiz:take",
    "saveAnswer": "quiz:take",
    "submitQuizAttempt": "quiz:take",
    "recordLectureProgress": SIGNED_IN,
    "setLectureCompleted": SIGNED_IN,
    "createNote": "note:write",
    "updateNote": "note:write",
    "deleteNote": "note:write",
    "askQuestion": "question:ask",
    "updateQaQuestion": "question:ask",
    "deleteQaQuestion": SIGNED_IN,
    "featureQaQuestion": "question:answer",
    "voteQaQuestion": SIGNED_IN,
    "acceptAnswer": SIGNED_IN,
    "answerQuestion": SIGNED_IN,
    "updateQaAnswer": SIGNED_IN,
    "deleteQaAnswer": SIGNED_IN,
    "voteQaAnswer": SIGNED_IN,
    "purchaseCourse": "course:enroll",
    "cancelTransaction": SIGNED_IN,
    "confirmBankTransfer": "transaction:confirm",
    "refundTransaction": SIGNED_IN,
    "runPayouts": "payout:run",
    "settlePayout": "payout:run",
    "setCommissionRate": "payout:run",
}
"""The requirement of each mutation: one of the three constants, or a permission of the actor's role."""


def documented_permissions() -> dict[str, dict[str, bool]]:
    """Return the table of the API guide, as permission -> column -> whether it is ticked."""
    lines = API_GUIDE.read_text().split(HEADING, 1)[1].split("\n#", 1)[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    header, _, *body = rows
    ticks = {"✓": True, "–": False}
    assert all(cell in ticks for row in body for cell in row[1:])
    return {
        row[0].strip("`"): {name: ticks[cell] for name, cell in zip(header[1:], row[1:], strict=True)} for row in body
    }


def test_documented_permissions_match_code() -> None:
    documented = documented_permissions()
    assert sorted(documented) == PERMISSION_NAMES
    for permission, columns in documented.items():
        allowed = {name for name, role in COLUMNS.items() if permission in PERMISSIONS[role]}
        assert {name for name, ticked in columns.items() if ticked} == allowed, permission
        assert columns.keys() == COLUMNS.keys()


def test_permission_names_are_area_and_action() -> None:
    assert all(
        len(permission.split(":")) == 2 and permission == permission.lower() for permission in PERMISSION_NAMES
    )


@pytest.mark.parametrize("role", list(Role))
def test_user_reads_own_permissions(client: Client, make: Factories, role: Role) -> None:
    user = make.user(role)
    permissions = client.execute("{ me { permissions } }", as_=make.actor(user))["me"]["permissions"]
    assert permissions == sorted(PERMISSIONS[role])
    column = role.value.replace("_", " ")
    assert set(permissions) == {name for name, columns in documented_permissions().items() if columns[column]}


def test_every_mutation_has_a_requirement() -> None:
    assert schema._schema.mutation_type is not None
    assert sorted(REQUIREMENTS) == sorted(schema._schema.mutation_type.fields)
    assert set(REQUIREMENTS.values()) - {ANYONE, SIGNED_IN, LEARNERS} <= set(PERMISSION_NAMES)


def is_allowed(requirement: str, role: Role | None) -> bool:
    if requirement == ANYONE:
        return True
    if role is None:
        return False
    return {SIGNED_IN: True, LEARNERS: role is Role.LEARNER}.get(requirement, requirement in PERMISSIONS[role])


def meaningless_value(input_type: GraphQLInputType) -> Any:
    """Return a value of this type that no service accepts."""
    if is_list_type(get_nullable_type(input_type)):
        return []
    named = get_named_type(input_type)
    if isinstance(named, GraphQLInputObjectType):
        members = named.fields.items()
        required = [item for item in members if is_non_null_type(item[1].type)]
        chosen = required or list(members)[:1]  # a oneOf input has no required member, and needs one
        return {name: meaningless_value(member.type) for name, member in chosen}
    if isinstance(named, GraphQLEnumType):
        return next(iter(named.values))
    scalars: dict[str, Any] = {"ID": "nonsense", "Int": -1, "Float": -1.0, "Boolean": False, "Decimal": "-1"}
    return scalars.get(named.name, "2026-01-01T00:00:00Z" if named.name == "DateTime" else "")


def document(mutation: str) -> tuple[str, dict[str, Any]]:
    assert schema._schema.mutation_type is not None
    field = schema._schema.mutation_type.fields[mutation]
    assert is_object_type(get_named_type(field.type))
    if not field.args:
        return f"mutation {{ {mutation} {{ errors {{ code }} }} }}", {}
    text = f"mutation ($input: {field.args['input'].type}) {{ {mutation}(input: $input) {{ errors {{ code }} }} }}"
    return text, {"input": meaningless_value(field.args["input"].type)}


@pytest.mark.sqlite_only
@pytest.mark.parametrize("mutation", REQUIREMENTS)
def test_permission_is_checked_before_input(client: Client, make: Factories, mutation: str) -> None:
    viewers: list[Actor] = [ANONYMOUS, *(make.actor(make.user(role)) for role in Role)]
    text, variables = document(mutation)
    for viewer in viewers:
        body = client.graphql(text, as_=viewer, **variables)
        codes = [error["extensions"]["code"] for error in body.get("errors", ())]
        if is_allowed(REQUIREMENTS[mutation], viewer.role):
            assert (codes, viewer.role) == ([], viewer.role)
            assert body["data"][mutation] is not None
        else:
            assert (codes, viewer.role) == (["FORBIDDEN" if viewer.is_signed_in else "UNAUTHENTICATED"], viewer.role)
            assert body["data"] == {mutation: None}
            assert body["errors"][0]["path"] == [mutation]
