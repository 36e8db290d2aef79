"""Tables of notes, questions, answers and votes."""

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Lecture
from lms_graphql.core.orm import (
    TABLE_OPTIONS,
    BigIntKey,
    Model,
    TimestampedModel,
    case_sensitive,
    counter_column,
    false_column,
    long_text,
)
from lms_graphql.core.search_terms import MAX_TERM_LENGTH


class Note(TimestampedModel):
    """Private note of a user in a lecture. `timestamp` is the second of the lecture that it is about."""

    __tablename__ = "notes"
    __table_args__ = (
        CheckConstraint("timestamp >= 0", name="timestamp"),
        Index(None, "user_id", "lecture_id", "timestamp", "id"),
        Index(None, "user_id", "created_at", "id"),
        Index(None, "lecture_id"),
        TABLE_OPTIONS,
    )

    user_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    lecture_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("lectures.id"))
    content: Mapped[str] = mapped_column(long_text())
    timestamp: Mapped[int | None]

    user: Mapped[User] = relationship(lazy="raise")
    lecture: Mapped[Lecture] = relationship(lazy="raise")


class NoteCounter(TimestampedModel):
    """Number of a user's notes in a lecture. It enforces the limit, because every new note updates this row."""

    __tablename__ = "note_counters"
    __table_args__ = (
        UniqueConstraint("user_id", "lecture_id"),
        CheckConstraint("note_count >= 0", name="note_count"),
        Index(None, "lecture_id"),
        TABLE_OPTIONS,
    )

    user_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    lecture_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("lectures.id"))
    note_count: Mapped[int] = counter_column()


class QAQuestion(TimestampedModel):
    """Question about a lecture. `course_id` repeats that of the lecture, for the lists and searches of a course."""

    __tablename__ = "qa_questions"
    __table_args__ = (
        ForeignKeyConstraint(["lecture_id", "course_id"], ["lectures.id", "lectures.course_id"]),
        CheckConstraint("timestamp >= 0", name="timestamp"),
        CheckConstraint("vote_count >= 0", name="vote_count"),
        Index(None, "lecture_id", "course_id"),
        Index(None, "lecture_id", "created_at", "id"),
        Index(None, "lecture_id", "vote_count", "id"),
        Index(None, "course_id", "created_at", "id"),
        Index(None, "course_id", "vote_count", "id"),
        Index(None, "user_id", "created_at", "id"),
        Index(None, "accepted_answer_id"),
        TABLE_OPTIONS,
    )

    user_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    lecture_id: Mapped[int] = mapped_column(BigIntKey)
    course_id: Mapped[int] = mapped_column(BigIntKey)
    title: Mapped[str] = mapped_column(String(200))
    content: Mapped[str] = mapped_column(long_text())
    timestamp: Mapped[int | None]
    is_featured: Mapped[bool] = false_column()
    accepted_answer_id: Mapped[int | None] = mapped_column(
        BigIntKey, ForeignKey("qa_answers.id", use_alter=True, ondelete="SET NULL")
    )
    vote_count: Mapped[int] = counter_column()

    author: Mapped[User] = relationship(lazy="raise")
    lecture: Mapped[Lecture] = relationship(lazy="raise")
    accepted_answer: Mapped["QAAnswer | None"] = relationship(
        lazy="raise", foreign_keys=[accepted_answer_id], post_update=True
    )


class QAQuestionTerm(Model):
    """A search term of a question.

    The key begins with the course, because a search is always within a course. So terms that are frequent in other
    courses cost nothing.
    """

    __tablename__ = "qa_question_terms"
    __table_args__ = (
        Index(None, "question_id"),
        {**TABLE_OPTIONS, "sqlite_with_rowid": False},  # clustered by the primary key on every database
    )

    course_id: Mapped[int] = mapped_column(BigIntKey, primary_key=True, autoincrement=False)
    term: Mapped[str] = mapped_column(case_sensitive(MAX_TERM_LENGTH), primary_key=True)
    question_id: Mapped[int] = mapped_column(
        BigIntKey, ForeignKey("qa_questions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )

    question: Mapped[QAQuestion] = relationship(lazy="raise")


class QAAnswer(TimestampedModel):
    """Answer to a question, or reply to an answer. Only replies have a parent. A reply has no replies."""

    __tablename__ = "qa_answers"
    __table_args__ = (
        CheckConstraint("vote_count >= 0", name="vote_count"),
        CheckConstraint("reply_count >= 0", name="reply_count"),
        Index(None, "question_id", "parent_id", "vote_count", "created_at", "id"),
        Index(None, "parent_id", "created_at", "id"),
        Index(None, "user_id"),
        TABLE_OPTIONS,
    )

    user_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    question_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("qa_questions.id", ondelete="CASCADE"))
    parent_id: Mapped[int | None] = mapped_column(BigIntKey, ForeignKey("qa_answers.id", ondelete="CASCADE"))
    content: Mapped[str] = mapped_column(long_text())
    is_instructor_answer: Mapped[bool] = false_column()
    vote_count: Mapped[int] = counter_column()
    reply_count: Mapped[int] = counter_column()

    author: Mapped[User] = relationship(lazy="raise")
    question: Mapped[QAQuestion] = relationship(lazy="raise", foreign_keys=[question_id])
    parent: Mapped["QAAnswer | None"] = relationship(lazy="raise", remote_side="QAAnswer.id")


class QAQuestionVote(TimestampedModel):
    __tablename__ = "qa_question_votes"
    __table_args__ = (UniqueConstraint("user_id", "question_id"), Index(None, "question_id"), TABLE_OPTIONS)

    user_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    question_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("qa_questions.id", ondelete="CASCADE"))


class QAAnswerVote(TimestampedModel):
    __tablename__ = "qa_answer_votes"
    __table_args__ = (UniqueConstraint("user_id", "answer_id"), Index(None, "answer_id"), TABLE_OPTIONS)

    user_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    answer_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("qa_answers.id", ondelete="CASCADE"))
