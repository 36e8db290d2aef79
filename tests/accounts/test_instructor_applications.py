"""Learners ask to teach, and super admins answer."""

from typing import Any

import pytest

from lms_graphql.accounts.models import User
from lms_graphql.core.actor import Actor, Role
from tests.accounts.test_login import refused, signed_in, told
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
WORDS = {"motivation": "I like to explain.", "experience": "Ten years\nat school."}


def apply(client: Client, actor: Actor, **words: Any) -> Any:
    return client.execute(APPLY, as_=actor, input={**WORDS, **words})["applyToTeach"]


def review(client: Client, actor: Actor, id: str, approve: bool, **more: Any) -> Any:
    values = {"applicationId": id, "approve": approve, **more}
    return client.execute(REVIEW, as_=actor, input=values)["reviewInstructorApplication"]


def test_a_learner_applies_once_at_a_time(client: Client, make: Factories) -> None:
    learner = make.user()
    payload = apply(client, make.actor(learner))
    assert payload["errors"] == []
    application = payload["application"]
    assert {key: application[key] for key in ("motivation", "experience", "status", "reviewNote", "reviewedBy")} == {
        **WORDS,
        "status": "PENDING",
        "reviewNote": None,
        "reviewedBy": None,
    }
    assert application["applicant"]["username"] == learner.username
    assert told(apply(client, make.actor(learner))) == [("ALREADY_EXISTS", None)]


@pytest.mark.parametrize(
    ("field", "value", "code"), [("motivation", " ", "REQUIRED"), ("experience", "x" * 10_001, "TOO_LONG")]
)
def test_an_application_says_something(client: Client, make: Factories, field: str, value: str, code: str) -> None:
    assert told(apply(client, make.actor(make.user()), **{field: value})) == [(code, ["input", field])]


def test_only_learners_apply(client: Client, make: Factories) -> None:
    assert client.error_codes(APPLY, input=WORDS) == ["UNAUTHENTICATED"]
    for role in (Role.INSTRUCTOR, Role.SUPER_ADMIN):
        assert client.error_codes(APPLY, as_=make.actor(make.user(role)), input=WORDS) == ["FORBIDDEN"]


def test_who_is_approved_teaches_after_signing_in_again(client: Client, make: Factories) -> None:
    learner, admin = make.person(), make.user(Role.SUPER_ADMIN)
    session = signed_in(client, learner)
    application = apply(client, make.actor(learner))["application"]
    payload = review(client, make.actor(admin), application["id"], True, note="Welcome!")
    assert payload["errors"] == []
    assert payload["application"]["status"] == "APPROVED"
    assert payload["application"]["reviewNote"] == "Welcome!"
    assert payload["application"]["reviewedBy"]["username"] == admin.username
    assert payload["application"]["reviewedAt"] is not None
    assert refused(client, session["accessToken"])
    assert signed_in(client, learner)["user"]["role"] == "INSTRUCTOR"
    for approve in (True, False):
        again = review(client, make.actor(admin), application["id"], approve)
        assert told(again) == [("INVALID_TRANSITION", ["input", "applicationId"])]


def test_who_is_rejected_may_apply_again(client: Client, make: Factories) -> None:
    learner, admin = make.actor(make.user()), make.actor(make.user(Role.SUPER_ADMIN))
    application = apply(client, learner)["application"]
    assert review(client, admin, application["id"], False)["application"]["status"] == "REJECTED"
    assert apply(client, learner)["errors"] == []


def test_a_review_is_for_super_admins_and_needs_an_application(client: Client, make: Factories) -> None:
    learner, admin = make.actor(make.user()), make.actor(make.user(Role.SUPER_ADMIN))
    application = apply(client, learner)["application"]
    for actor in (learner, make.actor(make.user(Role.INSTRUCTOR))):
        variables = {"applicationId": application["id"], "approve": True}
        assert client.error_codes(REVIEW, as_=actor, input=variables) == ["FORBIDDEN"]
    assert told(review(client, admin, "nonsense", True)) == [("NOT_FOUND", ["input", "applicationId"])]
    assert told(review(client, admin, application["id"], True, note="x" * 1_001)) == [("TOO_LONG", ["input", "note"])]


def test_who_leaves_takes_their_words_along(client: Client, make: Factories) -> None:
    learner, admin = make.user(), make.actor(make.user(Role.SUPER_ADMIN))
    id = apply(client, make.actor(learner))["application"]["id"]
    document = "mutation D($id: ID!) { deleteUser(input: {userId: $id}) { errors { code } } }"
    assert (
        client.execute(document, as_=make.actor(learner), id=global_id("User", learner))["deleteUser"]["errors"] == []
    )
    assert client.execute(NODE, as_=admin, id=id)["node"]["motivation"] == ""
    assert client.execute(LIST, as_=admin, status="PENDING")["instructorApplications"]["totalCount"] == 0
    assert told(review(client, admin, id, True)) == [("INVALID_TRANSITION", ["input", "applicationId"])]


def test_an_application_is_seen_by_the_applicant_and_super_admins(client: Client, make: Factories) -> None:
    people: list[User] = [make.user(), make.user()]
    ids = [apply(client, make.actor(user))["application"]["id"] for user in people]
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    assert client.execute(LIST, as_=admin)["instructorApplications"]["totalCount"] == 2
    for user, id in zip(people, ids, strict=True):
        mine = client.execute(LIST, as_=make.actor(user))["instructorApplications"]
        assert [node["id"] for node in mine["nodes"]] == [id]
        assert client.execute(NODE, as_=make.actor(user), id=id)["node"]["motivation"] == WORDS["motivation"]
        assert client.execute(NODE, as_=admin, id=id)["node"] is not None
    stranger = make.actor(make.user(Role.INSTRUCTOR))
    assert client.execute(NODE, as_=stranger, id=ids[0]) == {"node": None}
    assert client.execute(NODE, id=ids[0]) == {"node": None}
    assert client.execute(LIST, as_=stranger)["instructorApplications"]["nodes"] == []
    assert client.error_codes(LIST) == ["UNAUTHENTICATED"]
    review(client, admin, ids[0], False)
    assert client.execute(LIST, as_=admin, status="PENDING")["instructorApplications"]["totalCount"] == 1
    assert client.execute(LIST, as_=admin, status="REJECTED")["instructorApplications"]["nodes"][0]["id"] == ids[0]
