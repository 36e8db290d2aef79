"""Buffer of rows that assigns primary keys and inserts many rows in one statement."""

from collections import Counter, defaultdict
from typing import Any, cast

from sqlalchemy import Table, func, insert, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User, UserTerm
from lms_graphql.assessment.models import (
    AttemptQuestion,
    Question,
    QuestionVersion,
    Quiz,
    QuizAccommodation,
    QuizAttempt,
)
from lms_graphql.billing.ledger_models import (
    Earning,
    EarningEntry,
    InstructorCommission,
    InstructorPayout,
    PayoutItem,
)
from lms_graphql.billing.models import Dispute, FakePayment, FakeRefund, GatewayEvent, Payment, Refund, Transaction
from lms_graphql.catalog.models import Category, Course, CourseTerm, Enrollment, Lecture, Section
from lms_graphql.certificates.models import Certificate
from lms_graphql.core import orm
from lms_graphql.discussion.models import (
    Note,
    NoteCounter,
    QAAnswer,
    QAAnswerVote,
    QAQuestion,
    QAQuestionTerm,
    QAQuestionVote,
)
from lms_graphql.learning.models import CourseProgress, LectureProgress

INSERT_ORDER: tuple[type[orm.Model], ...] = (
    User,
    UserTerm,
    Category,
    Course,
    CourseTerm,
    Section,
    Lecture,
    Quiz,
    Question,
    QuestionVersion,
    Enrollment,
    CourseProgress,
    LectureProgress,
    QuizAccommodation,
    QuizAttempt,
    AttemptQuestion,
    Certificate,
    QAQuestion,
    QAQuestionTerm,
    QAAnswer,
    QAQuestionVote,
    QAAnswerVote,
    NoteCounter,
    Note,
    Transaction,
    Payment,
    Refund,
    GatewayEvent,
    Dispute,
    FakePayment,
    FakeRefund,
    InstructorCommission,
    InstructorPayout,
    Earning,
    EarningEntry,
    PayoutItem,
)
BATCH_SIZE = 5_000
"""Rows in one INSERT."""


class RowBuffer:
    """
    Buffer of rows. It assigns keys above the existing ones, so that children can refer to parents before either is
    written.

    Nothing else may insert into these tables at the same time: on MariaDB the keys would collide and the transaction
    would fail. `counts` is the number of rows of each model that were added.
    """

    def __init__(self, session: Session) -> None:
        self.counts: Counter[type[orm.Model]] = Counter()
        self._session = session
        self._last_keys: dict[type[orm.TimestampedModel], int] = {}
        self._pending: defaultdict[type[orm.Model], list[dict[str, Any]]] = defaultdict(list)

    def next_key(self, model: type[orm.TimestampedModel]) -> int:
        if model not in self._last_keys:
            self._last_keys[model] = self._session.scalar(select(func.max(model.id))) or 0
        self._last_keys[model] += 1
        return self._last_keys[model]

    def add(self, model: type[orm.Model], **values: Any) -> None:
        self.counts[model] += 1
        self._pending[model].append(values)

    def write(self) -> None:
        """Insert all pending rows. This bypasses the ORM, because its bookkeeping costs more than the inserts."""
        connection = self._session.connection()
        for model in INSERT_ORDER:
            rows = self._pending.pop(model, [])
            statement = insert(cast(Table, model.__table__))
            for start in range(0, len(rows), BATCH_SIZE):
                connection.execute(statement, rows[start : start + BATCH_SIZE])
        assert not self._pending, f"Add these models to INSERT_ORDER: {list(self._pending)}"
