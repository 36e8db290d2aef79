"""The tables of notes, questions and answers, and of the votes for them."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Lecture
from lms_graphql.core.orm import EVERYWHERE, Key, Table, count, long_text, no


class Note(Table):
    """Private. `timestamp` is the second of the lecture that it is about."""

    __tablename__ = "notes"
    __table_args__ = (
        CheckConstraint("timestamp >= 0", name="timestamp"),
        Index(None, "user_id", "lecture_id", "timestamp", "id"),
        Index(None, "lecture_id"),
        EVERYWHERE,
    )

    user_id: Mapped[int] = mapped_column(Key, ForeignKey("users.id"))
    lecture_id: Mapped[int] = mapped_column(Key, ForeignKey("lectures.id"))
    content: Mapped[str] = mapped_column(long_text())
    timestamp: Mapped[int | None]

    user: Mapped[User] = relationship(lazy="raise")
    lecture: Mapped[Lecture] = relationship(lazy="raise")


class Notebook(Table):
    """How many notes somebody has taken in a lecture: it holds the limit, since each new note changes this row."""

    __tablename__ = "notebooks"
    __table_args__ = (
        UniqueConstraint("user_id", "lecture_id"),
        CheckConstraint("note_count >= 0", name="note_count"),
        Index(None, "lecture_id"),
        EVERYWHERE,
    )

    user_id: Mapped[int] = mapped_column(Key, ForeignKey("users.id"))
    lecture_id: Mapped[int] = mapped_column(Key, ForeignKey("lectures.id"))
    note_count: Mapped[int] = count()


class QAQuestion(Table):
    __tablename__ = "qa_questions"
    __table_args__ = (
        CheckConstraint("timestamp >= 0", name="timestamp"),
        CheckConstraint("vote_count >= 0", name="vote_count"),
        Index(None, "lecture_id", "created_at", "id"),
        Index(None, "lecture_id", "vote_count", "id"),
        Index(None, "user_id"),
        Index(None, "accepted_answer_id"),
        EVERYWHERE,
    )

    user_id: Mapped[int] = mapped_column(Key, ForeignKey("users.id"))
    lecture_id: Mapped[int] = mapped_column(Key, ForeignKey("lectures.id"))
    title: Mapped[str] = mapped_column(String(200))
    content: Mapped[str] = mapped_column(long_text())
    timestamp: Mapped[int | None]
    is_featured: Mapped[bool] = no()
    accepted_answer_id: Mapped[int | None] = mapped_column(
        Key, ForeignKey("qa_answers.id", use_alter=True, ondelete="SET NULL")
    )
    vote_count: Mapped[int] = count()

    author: Mapped[User] = relationship(lazy="raise")
    lecture: Mapped[Lecture] = relationship(lazy="raise")
    accepted_answer: Mapped["QAAnswer | None"] = relationship(
        lazy="raise", foreign_keys=[accepted_answer_id], post_update=True
    )


class QAAnswer(Table):
    """A reply has a parent; replies have none below them."""

    __tablename__ = "qa_answers"
    __table_args__ = (
        CheckConstraint("vote_count >= 0", name="vote_count"),
        CheckConstraint("reply_count >= 0", name="reply_count"),
        Index(None, "question_id", "parent_id", "vote_count", "created_at", "id"),
        Index(None, "parent_id", "created_at", "id"),
        Index(None, "user_id"),
        EVERYWHERE,
    )

    user_id: Mapped[int] = mapped_column(Key, ForeignKey("users.id"))
    question_id: Mapped[int] = mapped_column(Key, ForeignKey("qa_questions.id", ondelete="CASCADE"))
    parent_id: Mapped[int | None] = mapped_column(Key, ForeignKey("qa_answers.id", ondelete="CASCADE"))
    content: Mapped[str] = mapped_column(long_text())
    is_instructor_answer: Mapped[bool] = no()
    vote_count: Mapped[int] = count()
    reply_count: Mapped[int] = count()

    author: Mapped[User] = relationship(lazy="raise")
    question: Mapped[QAQuestion] = relationship(lazy="raise", foreign_keys=[question_id])
    parent: Mapped["QAAnswer | None"] = relationship(lazy="raise", remote_side="QAAnswer.id")


class QAQuestionVote(Table):
    __tablename__ = "qa_question_votes"
    __table_args__ = (UniqueConstraint("user_id", "question_id"), Index(None, "question_id"), EVERYWHERE)

    user_id: Mapped[int] = mapped_column(Key, ForeignKey("users.id"))
    question_id: Mapped[int] = mapped_column(Key, ForeignKey("qa_questions.id", ondelete="CASCADE"))


class QAAnswerVote(Table):
    __tablename__ = "qa_answer_votes"
    __table_args__ = (UniqueConstraint("user_id", "answer_id"), Index(None, "answer_id"), EVERYWHERE)

    user_id: Mapped[int] = mapped_column(Key, ForeignKey("users.id"))
    answer_id: Mapped[int] = mapped_column(Key, ForeignKey("qa_answers.id", ondelete="CASCADE"))
