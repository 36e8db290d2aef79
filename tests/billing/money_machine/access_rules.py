"""Steps of access: grants, cancelled enrollments, and learners who come back."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule
from sqlalchemy.orm import Session

from lms_graphql.core import clock
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.errors import DomainError, DomainErrors
from lms_graphql.core.global_ids import encode
from lms_graphql.learning.learner_reference import LearnerReference
from lms_graphql.learning.services import enrollments
from tests.billing.money_machine.people import BUYERS, COURSE_ID, INSTRUCTOR
from tests.billing.money_machine.state import MoneyState

ENROLLMENTS = """
    SELECT buyers.id, enrollments.id, enrollments.status, enrollments.source, access_expires_at, EXISTS (
        SELECT 1 FROM transactions WHERE user_id = buyers.id AND status IN ('completed', 'partially_refunded')
    ) FROM users AS buyers LEFT JOIN enrollments ON enrollments.user_id = buyers.id WHERE role = 'learner'
"""


class AccessRules(MoneyState):
    """Changes of the buyers' enrollments between payments and refunds."""

    @rule(buyer=st.sampled_from(BUYERS), days=st.sampled_from([None, 30]))
    def grant(self, buyer: Actor, days: int | None) -> None:
        until = None if days is None else clock.now() + timedelta(days=days)
        learner = LearnerReference(user_id=encode("User", buyer.key or 0))
        self.database.run(enrollments.grant_enrollment, INSTRUCTOR, COURSE_ID, learner, until)

    @rule(buyer=st.sampled_from(BUYERS), is_by_staff=st.booleans())
    def leave(self, buyer: Actor, is_by_staff: bool) -> None:
        actor = INSTRUCTOR if is_by_staff else buyer
        for user_key, key, *_ in self.database.rows(ENROLLMENTS):
            if user_key == buyer.key and key is not None:
                self.change(enrollments.cancel_enrollment, actor, encode("Enrollment", key))

    @rule(buyer=st.sampled_from(BUYERS))
    def come_back(self, buyer: Actor) -> None:
        self.can_enroll(buyer, keeps=True)

    def can_enroll(self, buyer: Actor, *, keeps: bool = False) -> bool:
        """Return whether the buyer gets access without paying. Without `keeps`, nothing is stored."""

        def enroll(session: Session) -> None:
            enrollments.enroll(session, buyer, COURSE_ID)
            if not keeps:
                session.rollback()

        try:
            self.database.run(enroll)
        except (DomainError, DomainErrors):
            return False
        return True

    def access_follows_payments(self) -> None:
        """Check that buyers who have paid can return. Access that was only paid for ends with the last payment."""
        for user_key, _, status, source, expires_at, has_paid in self.database.rows(ENROLLMENTS):
            if has_paid:
                has_access = status == "active" and expires_at is None
                assert has_access or self.can_enroll(Actor(user_key, Role.LEARNER)), "paid, but without access"
            elif source == "purchase":
                assert status == "refunded"
            else:
                assert source in {None, "grant"}
