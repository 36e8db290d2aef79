"""What each role may do: the README's matrix, the table in the code, and the doors of all mutations, over HTTP."""

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

README = Path(__file__).parent.parent.parent / "README.md"
HEADING = "### Roles and what they may do"
COLUMNS = {"super admin": Role.SUPER_ADMIN, "instructor": Role.INSTRUCTOR, "learner": Role.LEARNER}
ALL = sorted(set().union(*PERMISSIONS.values()))

ANYONE = "anyone"
SIGNED_IN = "anyone who is signed in"
LEARNERS = "who only learns"
DOORS = {
    "login": ANYONE,
    "logout": ANYONE,
    "register": ANYONE,
    "refreshSession": ANYONE,
    "requestPasswordReset": ANYONE,
    "resetPassword": ANYONE,
    "verifyEmail": ANYONE,
    "changePassword": SIGNED_IN,
    "deleteUser": SIGNED_IN,
    "logoutEverywhere": SIGNED_IN,
    "requestEmailVerification": SIGNED_IN,
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
}
"""Of each mutation: for whom it opens. One that needs a permission opens for the roles that the table gives it to."""


def matrix() -> dict[str, dict[str, bool]]:
    """The README's, as permission -> column -> whether it is ticked."""
    lines = README.read_text().split(HEADING, 1)[1].split("\n#", 1)[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    head, _, *body = rows
    ticks = {"✓": True, "–": False}
    assert all(cell in ticks for row in body for cell in row[1:])
    return {
        row[0].strip("`"): {name: ticks[cell] for name, cell in zip(head[1:], row[1:], strict=True)} for row in body
    }


def test_the_readme_tells_what_the_code_allows() -> None:
    told = matrix()
    assert sorted(told) == ALL
    for permission, columns in told.items():
        allowed = {name for name, role in COLUMNS.items() if permission in PERMISSIONS[role]}
        assert {name for name, ticked in columns.items() if ticked} == allowed, permission
        assert columns.keys() == COLUMNS.keys()


def test_every_permission_says_area_and_action() -> None:
    assert all(len(permission.split(":")) == 2 and permission == permission.lower() for permission in ALL)


@pytest.mark.parametrize("role", list(Role))
def test_everyone_is_told_their_own_permissions(client: Client, make: Factories, role: Role) -> None:
    person = make.user(role)
    told = client.execute("{ me { permissions } }", as_=make.actor(person))["me"]["permissions"]
    assert told == sorted(PERMISSIONS[role])
    assert set(told) == {name for name, columns in matrix().items() if columns[role.value.replace("_", " ")]}


def test_every_mutation_has_a_line_that_says_for_whom_it_opens() -> None:
    assert schema._schema.mutation_type is not None
    assert sorted(DOORS) == sorted(schema._schema.mutation_type.fields)
    assert set(DOORS.values()) - {ANYONE, SIGNED_IN, LEARNERS} <= set(ALL)


def opens_for(door: str, role: Role | None) -> bool:
    if door == ANYONE:
        return True
    if role is None:
        return False
    return {SIGNED_IN: True, LEARNERS: role is Role.LEARNER}.get(door, door in PERMISSIONS[role])


def nonsense(kind: GraphQLInputType) -> Any:
    """A value of this type that no service does anything with."""
    if is_list_type(get_nullable_type(kind)):
        return []
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        members = named.fields.items()
        asked = list(members)[:1] if named.is_one_of else [item for item in members if is_non_null_type(item[1].type)]
        return {name: nonsense(member.type) for name, member in asked}
    if isinstance(named, GraphQLEnumType):
        return next(iter(named.values))
    plain: dict[str, Any] = {"ID": "nonsense", "Int": -1, "Float": -1.0, "Boolean": False, "Decimal": "-1"}
    return plain.get(named.name, "2026-01-01T00:00:00Z" if named.name == "DateTime" else "")


def document(mutation: str) -> tuple[str, dict[str, Any]]:
    assert schema._schema.mutation_type is not None
    field = schema._schema.mutation_type.fields[mutation]
    assert is_object_type(get_named_type(field.type))
    if not field.args:
        return f"mutation {{ {mutation} {{ errors {{ code }} }} }}", {}
    text = f"mutation ($input: {field.args['input'].type}) {{ {mutation}(input: $input) {{ errors {{ code }} }} }}"
    return text, {"input": nonsense(field.args["input"].type)}


@pytest.mark.parametrize("mutation", DOORS)
def test_a_door_is_asked_before_anything_else_is_looked_at(client: Client, make: Factories, mutation: str) -> None:
    viewers: list[Actor] = [ANONYMOUS, *(make.actor(make.user(role)) for role in Role)]
    text, variables = document(mutation)
    for viewer in viewers:
        answer = client.graphql(text, as_=viewer, **variables)
        codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
        if opens_for(DOORS[mutation], viewer.role):
            assert (codes, viewer.role) == ([], viewer.role)
            assert answer["data"][mutation] is not None
        else:
            assert (codes, viewer.role) == (["FORBIDDEN" if viewer.is_signed_in else "UNAUTHENTICATED"], viewer.role)
            assert answer["data"] == {mutation: None}
            assert answer["errors"][0]["path"] == [mutation]
