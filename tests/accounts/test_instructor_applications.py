"""Instructor applications: apply, review, visibility, deletion of the applicant."""

from typing import Any

import pytest

from lms_graphql.accounts.models import User
from lms_graphql.core.actor import Actor, Role
from tests.accounts.session_client import is_rejected, new_session, user_errors
from tests.factories import Factories, global_id
from tests.live_service import Client

FIELDS = """application {
  id motivation experience status reviewNote reviewedAt createdAt applicant { username } reviewedBy { username }
} errors { code path }"""
APPLY = f"mutation A($input: ApplyToTeachInput!) {{ applyToTeach(input: $input) {{ {FIELDS} }} }}"
REVIEW = f"""mutation R($input: ReviewInstructorApplicationInput!) {{
  reviewInstructorApplication(input: $input) {{ {FIELDS} }}
}}"""
LIST = """query L($status: ApplicationStatus) {
  instructorApplications(status: $status) { totalCount nodes { id applicant { username } } }
}"""
NODE = "query N($id: ID!) { node(id: $id) { id ... on InstructorApplication { motivation } } }"
VALID_INPUT = {"motivation": "I like to explain.", "experience": "Ten years\nat school."}


def apply(client: Client, actor: Actor, **changes: Any) -> Any:
    """Return the payload of an application that differs from `VALID_INPUT` by these fields."""
    return client.execute(APPLY, as_=actor, input={**VALID_INPUT, **changes})["applyToTeach"]


def review(client: Client, actor: Actor, id: str, approve: bool, **fields: Any) -> Any:
    """Return the payload of a review."""
    input = {"applicationId": id, "approve": approve, **fields}
    return client.execute(REVIEW, as_=actor, input=input)["reviewInstructorApplication"]


def test_learner_has_at_most_one_pending_application(client: Client, make: Factories) -> None:
    learner = make.user()
    payload = apply(client, make.actor(learner))
    assert payload["errors"] == []
    application = payload["application"]
    assert {key: application[key] for key in ("motivation", "experience", "status", "reviewNote", "reviewedBy")} == {
        **VALID_INPUT,
        "status": "PENDING",
        "reviewNote": None,
        "reviewedBy": None,
    }
    assert application["applicant"]["username"] == learner.username
    assert user_errors(apply(client, make.actor(learner))) == [("ALREADY_EXISTS", None)]


@pytest.mark.parametrize(
    ("field", "value", "code"), [("motivation", " ", "REQUIRED"), ("experience", "x" * 10_001, "TOO_LONG")]
)
def test_application_texts_are_validated(client: Client, make: Factories, field: str, value: str, code: str) -> None:
    assert user_errors(apply(client, make.actor(make.user()), **{field: value})) == [(code, ["input", field])]


def test_only_learners_can_apply(client: Client, make: Factories) -> None:
    assert client.error_codes(APPLY, input=VALID_INPUT) == ["UNAUTHENTICATED"]
    for role in (Role.INSTRUCTOR, Role.SUPER_ADMIN):
        assert client.error_codes(APPLY, as_=make.actor(make.user(role)), input=VALID_INPUT) == ["FORBIDDEN"]


def test_approved_learner_is_instructor_after_next_login(client: Client, make: Factories) -> None:
    learner, admin = make.user_with_password(), make.user(Role.SUPER_ADMIN)
    session = new_session(client, learner)
    application = apply(client, make.actor(learner))["application"]
    payload = review(client, make.actor(admin), application["id"], True, note="Welcome!")
    assert payload["errors"] == []
    assert payload["application"]["status"] == "APPROVED"
    assert payload["application"]["reviewNote"] == "Welcome!"
    assert payload["application"]["reviewedBy"]["username"] == admin.username
    assert payload["application"]["reviewedAt"] is not None
    assert is_rejected(client, session["accessToken"])
    assert new_session(client, learner)["user"]["role"] == "INSTRUCTOR"
    for approve in (True, False):
        repeated = review(client, make.actor(admin), application["id"], approve)
        assert user_errors(repeated) == [("INVALID_TRANSITION", ["input", "applicationId"])]


def test_rejected_learner_can_apply_again(client: Client, make: Factories) -> None:
    learner, admin = make.actor(make.user()), make.actor(make.user(Role.SUPER_ADMIN))
    application = apply(client, learner)["application"]
    assert review(client, admin, application["id"], False)["application"]["status"] == "REJECTED"
    assert apply(client, learner)["errors"] == []


def test_review_requires_super_admin_and_valid_input(client: Client, make: Factories) -> None:
    learner, admin = make.actor(make.user()), make.actor(make.user(Role.SUPER_ADMIN))
    application = apply(client, learner)["application"]
    for actor in (learner, make.actor(make.user(Role.INSTRUCTOR))):
        variables = {"applicationId": application["id"], "approve": True}
        assert client.error_codes(REVIEW, as_=actor, input=variables) == ["FORBIDDEN"]
    assert user_errors(review(client, admin, "nonsense", True)) == [("NOT_FOUND", ["input", "applicationId"])]
    assert user_errors(review(client, admin, application["id"], True, note="x" * 1_001)) == [
        ("TOO_LONG", ["input", "note"])
    ]


def test_account_deletion_erases_and_rejects_application(client: Client, make: Factories) -> None:
    learner, admin = make.user(), make.actor(make.user(Role.SUPER_ADMIN))
    id = apply(client, make.actor(learner))["application"]["id"]
    document = "mutation D($id: ID!) { deleteUser(input: {userId: $id}) { errors { code } } }"
    payload = client.execute(document, as_=make.actor(learner), id=global_id("User", learner))["deleteUser"]
    assert payload["errors"] == []
    assert client.execute(NODE, as_=admin, id=id)["node"]["motivation"] == ""
    assert client.execute(LIST, as_=admin, status="PENDING")["instructorApplications"]["totalCount"] == 0
    assert user_errors(review(client, admin, id, True)) == [("INVALID_TRANSITION", ["input", "applicationId"])]


def test_application_is_visible_to_applicant_and_super_admins(client: Client, make: Factories) -> None:
    applicants: list[User] = [make.user(), make.user()]
    ids = [apply(client, make.actor(user))["application"]["id"] for user in applicants]
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    assert client.execute(LIST, as_=admin)["instructorApplications"]["totalCount"] == 2
    for user, id in zip(applicants, ids, strict=True):
        visible_applications = client.execute(LIST, as_=make.actor(user))["instructorApplications"]
        assert [node["id"] for node in visible_applications["nodes"]] == [id]
        assert client.execute(NODE, as_=make.actor(user), id=id)["node"]["motivation"] == VALID_INPUT["motivation"]
        assert client.execute(NODE, as_=admin, id=id)["node"] is not None
    other_user = make.actor(make.user(Role.INSTRUCTOR))
    assert client.execute(NODE, as_=other_user, id=ids[0]) == {"node": None}
    assert client.execute(NODE, id=ids[0]) == {"node": None}
    assert client.execute(LIST, as_=other_user)["instructorApplications"]["nodes"] == []
    assert client.error_codes(LIST) == ["UNAUTHENTICATED"]
    review(client, admin, ids[0], False)
    assert client.execute(LIST, as_=admin, status="PENDING")["instructorApplications"]["totalCount"] == 1
    assert client.execute(LIST, as_=admin, status="REJECTED")["instructorApplications"]["nodes"][0]["id"] == ids[0]
