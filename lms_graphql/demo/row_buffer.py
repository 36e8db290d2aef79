"""Rows on their way to the database: numbered here, written many at a time."""

from collections import Counter, defaultdict
from typing import Any, cast

from sqlalchemy import Table, func, insert, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.assessment.models import Question, Quiz
from lms_graphql.catalog.models import Category, Course, CourseTerm, Enrollment, Lecture, Section
from lms_graphql.certificates.models import Certificate
from lms_graphql.core import orm
from lms_graphql.discussion.models import Note, NoteCounter, QAAnswer, QAAnswerVote, QAQuestion, QAQuestionVote
from lms_graphql.learning.models import CourseProgress, LectureProgress

PARENTS_FIRST: tuple[type[orm.Model], ...] = (
    User,
    Category,
    Course,
    CourseTerm,
    Section,
    Lecture,
    Quiz,
    Question,
    Enrollment,
    CourseProgress,
    LectureProgress,
    Certificate,
    QAQuestion,
    QAAnswer,
    QAQuestionVote,
    QAAnswerVote,
    NoteCounter,
    Note,
)
AT_ONCE = 5_000


class RowBuffer:
    """Gives out keys above those there are, so that children know their parents before either is written.

    Nobody else may add to these tables meanwhile: on MariaDB the keys would collide, and the transaction fail.
    `counts` tells how many rows of each model there were.
    """

    def __init__(self, session: Session) -> None:
        self.counts: Counter[type[orm.Model]] = Counter()
        self._session = session
        self._last: dict[type[orm.TimestampedModel], int] = {}
        self._waiting: defaultdict[type[orm.Model], list[dict[str, Any]]] = defaultdict(list)

    def key(self, model: type[orm.TimestampedModel]) -> int:
        if model not in self._last:
            self._last[model] = self._session.scalar(select(func.max(model.id))) or 0
        self._last[model] += 1
        return self._last[model]

    def add(self, model: type[orm.Model], **values: Any) -> None:
        self.counts[model] += 1
        self._waiting[model].append(values)

    def write(self) -> None:
        """Everything that waits. Without the ORM's bookkeeping, which costs more than the inserts."""
        connection = self._session.connection()
        for model in PARENTS_FIRST:
            rows = self._waiting.pop(model, [])
            statement = insert(cast(Table, model.__table__))
            for start in range(0, len(rows), AT_ONCE):
                connection.execute(statement, rows[start : start + AT_ONCE])
