"""`revokeCertificate` and `reinstateCertificate`, and revocation by a refund."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.certificates.models import Certificate, RevocationReason
from lms_graphql.certificates.services import certificates
from lms_graphql.core import global_ids
from tests.certificates.scenario import CERTIFICATE, CertificateClient, CertificateScenario, audit_events
from tests.concurrency import race_clients, race_rounds
from tests.factories import Factories
from tests.live_service import Client, Service

ROUNDS = race_rounds(20)


def stored_certificate(service: Service) -> Certificate:
    return service.database.read_sync(lambda session: session.scalars(select(Certificate)).one())


def test_super_admin_revokes_and_reinstates_certificate(client: Client, make: Factories, service: Service) -> None:
    scenario = CertificateScenario(make)
    admin = CertificateClient(client, scenario.actor("admin"))
    input = {"certificateId": scenario.id, "reason": "MISCONDUCT", "note": "Copied."}
    revoked = admin.ok("revokeCertificate", **input)
    assert revoked["status"] == "REVOKED"
    repeated = admin.ok("revokeCertificate", **{**input, "note": None})
    assert repeated == revoked
    errors = admin.user_errors("revokeCertificate", **{**input, "reason": "ERROR"})
    assert errors == [("INVALID_TRANSITION", "certificateId")]
    row = stored_certificate(service)
    assert (row.revocation_reason, row.revocation_note) == (RevocationReason.MISCONDUCT, "Copied.")
    for _ in range(2):
        reinstated = admin.ok("reinstateCertificate", certificateId=scenario.id)
        assert reinstated == {"id": scenario.id, "status": "VALID", "revokedAt": None}
    row = stored_certificate(service)
    assert (row.revoked_at, row.revocation_reason, row.revocation_note) == (None, None, None)
    assert audit_events(service.database) == [
        ("certificate.revoked", admin.actor.key, scenario.certificate.id),
        ("certificate.reinstated", admin.actor.key, scenario.certificate.id),
    ]


def test_revocation_errors_name_the_input_field(client: Client, make: Factories) -> None:
    scenario = CertificateScenario(make)
    admin = CertificateClient(client, scenario.actor("admin"))
    too_long = {"reason": "ERROR", "note": "x" * 1_001}
    for id in (global_ids.encode("Certificate", 10**9), "nonsense", scenario.course.global_id, ""):
        not_found = [("NOT_FOUND", "certificateId")]
        assert admin.user_errors("revokeCertificate", certificateId=id, **too_long) == not_found
        assert admin.user_errors("reinstateCertificate", certificateId=id) == not_found
    errors = admin.user_errors("revokeCertificate", certificateId=scenario.id, **too_long)
    assert errors == [("TOO_LONG", "note")]
    admin.ok("revokeCertificate", certificateId=scenario.id, reason="ERROR", note="x" * 1_000)


@pytest.mark.parametrize("name", ["anonymous", "learner", "holder", "instructor", "other_instructor"])
def test_only_super_admins_can_revoke_and_reinstate(client: Client, make: Factories, name: str) -> None:
    scenario = CertificateScenario(make)
    code = "UNAUTHENTICATED" if name == "anonymous" else "FORBIDDEN"
    actor = CertificateClient(client, scenario.actor(name))
    assert actor.error_codes("revokeCertificate", certificateId=scenario.id, reason="ERROR") == [code]
    assert actor.error_codes("reinstateCertificate", certificateId=scenario.id) == [code]
    node = client.execute(CERTIFICATE, as_=scenario.actor("admin"), id=scenario.id)["node"]
    assert node["status"] == "VALID"


def test_enrolling_again_reinstates_after_refund_only(make: Factories, service: Service) -> None:
    refunded, revoked, valid = (CertificateScenario(make) for _ in range(3))
    admin, misconduct = refunded.actor("admin"), RevocationReason.MISCONDUCT

    def apply_to_both(function: Callable[..., None]) -> list[RevocationReason | None]:
        def work(session: Session) -> list[RevocationReason | None]:
            for scenario in (refunded, revoked):
                function(session, scenario.holder.id, scenario.course.row.id)
                function(session, scenario.learner.id, scenario.course.row.id)  # who has no certificate
            reasons = select(Certificate.revocation_reason).order_by(Certificate.id)
            return list(session.scalars(reasons))

        return service.database.write_sync(work)

    service.database.write_sync(
        lambda session: certificates.revoke_certificate(session, admin, revoked.id, misconduct, None)
    )
    for _ in range(2):
        assert apply_to_both(certificates.revoke_for_refund) == [RevocationReason.REFUND, misconduct, None]
    for _ in range(2):
        assert apply_to_both(certificates.reinstate_after_refund) == [None, misconduct, None]
    actions = [action for action, _, subject in audit_events(service.database) if subject == refunded.certificate.id]
    assert actions == ["certificate.revoked", "certificate.reinstated"]
    assert valid.certificate.revoked_at is None


@pytest.mark.slow
def test_concurrent_revoke_and_reinstate_leave_consistent_state(
    client: Client, make: Factories, service: Service
) -> None:
    scenario = CertificateScenario(make)
    admin = CertificateClient(client, scenario.actor("admin"))
    revoke = admin.race_request("revokeCertificate", certificateId=scenario.id, reason="ERROR", note="Why")
    reinstate = admin.race_request("reinstateCertificate", certificateId=scenario.id)
    with race_clients([service.url], 6) as clients:
        for _ in range(ROUNDS):
            responses = clients.race(*[revoke, reinstate] * 3)
            assert {response.code for response in responses} == {None}
            row = stored_certificate(service)
            state = (row.revoked_at is not None, row.revocation_reason, row.revocation_note)
            assert state in {(True, RevocationReason.ERROR, "Why"), (False, None, None)}
    actions = [action.removeprefix("certificate.") for action, _, _ in audit_events(service.database)]
    assert set(actions[::2]) == {"revoked"}
    assert set(actions[1::2]) <= {"reinstated"}
