"""Certificates: good, expired, revoked, and one whose code anyone may check."""

from datetime import timedelta

from tests.oracle.world import ADMIN, LONG_AGO, Texts, World

CODE = "3467-9CDF-GHJK-MNPQ-RTVW"
"""Of the certificate that is checked."""
TOLD = {
    "verification_code": CODE,
    "title": "A certificate",
    "learner_name": "Ada",
    "course_title": "A course",
    "instructor_name": "Grace",
}
"""What everyone is told of it, so that it has no canaries."""


def plant_certificates(world: World) -> None:
    plant_certificate(world, "certified", "enrolled", "published", empty="expiresAt revokedAt")
    plant_certificate(
        world, "taken", "enrolled", "archived", revoked_at=LONG_AGO + timedelta(days=2), empty="expiresAt"
    )
    plant_certificate(world, "old", "cancelled", "archived", expires_at=LONG_AGO, empty="revokedAt")
    plant_certificate(world, "checked", "cancelled", "published", is_checked=True, empty="expiresAt revokedAt")


def plant_certificate(
    world: World, label: str, holder: str, course: str, *, empty: str, is_checked: bool = False, **state: object
) -> None:
    texts = Texts(
        label,
        serial="Certificate.serial",
        verification_code="Certificate.verificationCode",
        title="Certificate.title",
        learner_name="Certificate.learnerName",
        course_title="Certificate.courseTitle",
        instructor_name="Certificate.instructorName",
    )
    if is_checked:
        texts = Texts(label)
        texts.columns.update(TOLD)
    row = world.given.certificate(world.people[holder], world.courses[course], **texts.columns, **state)
    seen, theirs = ADMIN | {holder, "teacher"}, ADMIN | {holder}
    world.plant("Certificate", label, row, texts, seen=seen, holder=theirs, empty=empty)
