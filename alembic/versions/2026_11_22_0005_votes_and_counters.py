"""Votes for questions and answers, and counters of notes and replies.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op


from lms_graphql.core import orm

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
blocks_writes_to = ("qa_answers",)


def upgrade() -> None:
    op.create_table(
        "notebooks",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.Column("lecture_id", orm.BigIntKey, nullable=False),
        sa.Column("note_count", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("note_count >= 0", name=op.f("ck_notebooks_note_count")),
        sa.ForeignKeyConstraint(["lecture_id"], ["lectures.id"], name=op.f("fk_notebooks_lecture_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notebooks_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notebooks")),
        sa.UniqueConstraint("user_id", "lecture_id", name=op.f("uq_notebooks_user_id_lecture_id")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_notebooks_lecture_id"), "notebooks", ["lecture_id"], unique=False)
    op.create_table(
        "qa_question_votes",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.Column("question_id", orm.BigIntKey, nullable=False),
        sa.ForeignKeyConstraint(
            ["question_id"], ["qa_questions.id"], name=op.f("fk_qa_question_votes_question_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_qa_question_votes_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qa_question_votes")),
        sa.UniqueConstraint("user_id", "question_id", name=op.f("uq_qa_question_votes_user_id_question_id")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_qa_question_votes_question_id"), "qa_question_votes", ["question_id"], unique=False)
    op.create_table(
        "qa_answer_votes",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.Column("answer_id", orm.BigIntKey, nullable=False),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["qa_answers.id"], name=op.f("fk_qa_answer_votes_answer_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_qa_answer_votes_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qa_answer_votes")),
        sa.UniqueConstraint("user_id", "answer_id", name=op.f("uq_qa_answer_votes_user_id_answer_id")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_qa_answer_votes_answer_id"), "qa_answer_votes", ["answer_id"], unique=False)
    _count_replies()


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f("ck_qa_answers_reply_count"), "qa_answers", type_="check")
    op.drop_column("qa_answers", "reply_count")
    op.drop_table("qa_answer_votes")
    op.drop_table("qa_question_votes")
    op.drop_table("notebooks")


def _count_replies() -> None:
    """Add the column with its check, and fill it.

    SQLite accepts a check only together with the column. MySQL and MariaDB do not accept a named one there.
    """
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "ALTER TABLE qa_answers ADD COLUMN reply_count INTEGER DEFAULT '0' NOT NULL"
            " CONSTRAINT ck_qa_answers_reply_count CHECK (reply_count >= 0)"
        )
    else:
        op.add_column("qa_answers", sa.Column("reply_count", sa.Integer(), server_default="0", nullable=False))
        op.create_check_constraint(op.f("ck_qa_answers_reply_count"), "qa_answers", "reply_count >= 0")
    answers = sa.table("qa_answers", sa.column("id"), sa.column("parent_id"), sa.column("reply_count"))
    replies = sa.select(answers.c.parent_id, sa.func.count()).where(answers.c.parent_id.is_not(None))
    connection = op.get_bind()
    for answer, number in connection.execute(replies.group_by(answers.c.parent_id)).all():
        connection.execute(sa.update(answers).where(answers.c.id == answer).values(reply_count=number))
