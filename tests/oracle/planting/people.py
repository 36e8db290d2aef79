"""People, applications to teach, and somebody who is gone."""

from datetime import timedelta

from lms_graphql.accounts.models import ApplicationStatus
from lms_graphql.accounts.service import managing
from lms_graphql.core.actor import Role
from lms_graphql.core.database import Database
from lms_graphql.core.ids import encode
from tests.oracle.world import ADMIN, CAST, EVERYONE, KNOWN, LONG_AGO, SIGNED_IN, Texts, World


def plant_people(world: World) -> None:
    for label, role in {**CAST, "suspended": Role.LEARNER, "gone": Role.INSTRUCTOR}.items():
        texts = person_texts(label)
        texts["User.email"] = texts.columns["email"] = f"{texts['User.email']}@example.com"
        state = {"is_active": label != "suspended", "last_login": LONG_AGO}
        world.people[label] = person = world.given.person(role, **texts.columns, **state)
        if label != "gone":
            known = EVERYONE if label in KNOWN else SIGNED_IN
            teaches = "teaching" if role is Role.LEARNER else ""
            person_alone = ADMIN | ({label} & SIGNED_IN)
            world.plant("User", label, person, texts, seen=known, person=person_alone, empty=teaches)


def person_texts(label: str) -> Texts:
    return Texts(
        label,
        email="User.email",
        username="User.username",
        first_name="User.firstName",
        last_name="User.lastName",
        bio="User.bio",
        profile_image="User.profileImageUrl",
    )


def plant_applications(world: World) -> None:
    for label, applicant in (("waiting", "applicant"), ("refused", "enrolled")):
        texts = Texts(
            label,
            motivation="InstructorApplication.motivation",
            experience="InstructorApplication.experience",
            review_note="InstructorApplication.reviewNote",
        )
        answer = {
            "status": ApplicationStatus.REJECTED,
            "pending_of": None,
            "reviewed_by_id": world.people["admin"].id,
            "reviewed_at": LONG_AGO + timedelta(days=1),
        }
        empty = ""
        if label == "waiting":
            answer, empty = {}, "reviewNote reviewedAt reviewedBy"
            del texts["InstructorApplication.reviewNote"], texts.columns["review_note"]
        row = world.given.application(world.people[applicant], **answer, **texts.columns)
        world.plant("InstructorApplication", label, row, texts, seen=ADMIN | {applicant}, empty=empty)


def plant_deleted(world: World, database: Database) -> None:
    """Deleted by the service that does it, so that a canary of theirs that is met anywhere was left behind."""
    gone = world.people["gone"]
    gid = encode("User", gone.id)
    database.write_now(lambda session: managing.delete_user(session, world.actor("admin"), gid))
    empty = "email bio profileImageUrl lastLoginAt"
    world.plant("User", "gone", gone, {}, seen=EVERYONE, person=ADMIN, empty=empty)
