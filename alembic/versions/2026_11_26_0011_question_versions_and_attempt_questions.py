"""Question versions, questions of attempts, accommodations, statistics of quizzes, and ids of options.

No earlier version could start an attempt, so `quiz_attempts.questions` and `answers` are dropped.

Revision ID: 0011
Revises: 0010
"""

import secrets

import sqlalchemy as sa
from alembic import op

from lms_graphql.core import orm

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
blocks_writes_to = ("questions",)

BATCH_SIZE = 500
CONTENT = ("question_type", "question_text", "points", "options", "correct_answers", "explanation", "partial_credit")
QUESTIONS = sa.table(
    "questions",
    sa.column("id", orm.BigIntKey),
    sa.column("question_type", sa.String),
    sa.column("options", orm.Json),
)


def upgrade() -> None:
    _create_question_versions()
    _create_attempt_questions()
    _create_quiz_accommodations()
    _create_question_regrades()
    _create_quiz_statistics()
    op.add_column("quiz_attempts", sa.Column("result_tokens", orm.long_text(), nullable=True))
    op.create_index(op.f("ix_quiz_attempts_updated_at"), "quiz_attempts", ["updated_at"], unique=False)
    op.add_column("quiz_attempts", sa.Column("shuffle_seed", orm.case_sensitive(32), nullable=True))
    op.add_column("quiz_attempts", sa.Column("closes_at", orm.UtcDateTime(), nullable=True))
    op.drop_index(op.f("ix_quiz_attempts_status_deadline_at"), table_name="quiz_attempts")
    op.create_index(
        op.f("ix_quiz_attempts_status_closes_at"), "quiz_attempts", ["status", "closes_at"], unique=False
    )
    op.drop_column("quiz_attempts", "questions")
    op.drop_column("quiz_attempts", "answers")
    op.create_index(
        op.f("ix_quiz_attempts_quiz_id_started_at_id"), "quiz_attempts", ["quiz_id", "started_at", "id"], unique=False
    )
    _add_option_ids()
    columns = ", ".join(CONTENT)
    op.execute(
        f"INSERT INTO question_versions (created_at, updated_at, question_id, {columns}) "
        f"SELECT updated_at, updated_at, id, {columns} FROM questions ORDER BY id"
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_quiz_attempts_quiz_id_started_at_id"), table_name="quiz_attempts")
    op.drop_index(op.f("ix_quiz_attempts_status_closes_at"), table_name="quiz_attempts")
    op.create_index(
        op.f("ix_quiz_attempts_status_deadline_at"), "quiz_attempts", ["status", "deadline_at"], unique=False
    )
    op.drop_index(op.f("ix_quiz_attempts_updated_at"), table_name="quiz_attempts")
    op.drop_column("quiz_attempts", "result_tokens")
    op.drop_column("quiz_attempts", "closes_at")
    op.drop_column("quiz_attempts", "shuffle_seed")
    for name in ("questions", "answers"):
        op.add_column("quiz_attempts", sa.Column(name, orm.Json(), nullable=True))
    for table in ("quiz_statistics", "question_regrades", "quiz_accommodations", "attempt_questions", "question_versions"):
        op.drop_table(table)


def _add_option_ids() -> None:
    """Give each option of a multiple-choice question an id."""
    connection, last_key = op.get_bind(), 0
    is_next = (QUESTIONS.c.question_type == "multiple_choice", QUESTIONS.c.id > sa.bindparam("after"))
    statement = sa.select(QUESTIONS.c.id, QUESTIONS.c.options).where(*is_next).order_by(QUESTIONS.c.id)
    while rows := connection.execute(statement.limit(BATCH_SIZE), {"after": last_key}).all():
        connection.execute(
            sa.update(QUESTIONS).where(QUESTIONS.c.id == sa.bindparam("key")).values(options=sa.bindparam("with_ids")),
            [
                {"key": key, "with_ids": [{"id": secrets.token_hex(8), **option} for option in options]}
                for key, options in rows
            ],
        )
        last_key = rows[-1].id


def _create_question_versions() -> None:
    op.create_table(
        "question_versions",
        *_key_and_times(),
        sa.Column("question_id", orm.BigIntKey, nullable=False),
        sa.Column("question_type", _enum("question_type", QUESTION_TYPES), nullable=False),
        sa.Column("question_text", orm.long_text(), nullable=False),
        sa.Column("points", orm.FixedDecimal(), server_default="100", nullable=False),
        sa.Column("options", orm.Json(), nullable=False),
        sa.Column("correct_answers", orm.Json(), nullable=False),
        sa.Column("explanation", orm.long_text(), nullable=True),
        sa.Column("partial_credit", _enum("partial_credit", PARTIAL_CREDITS), nullable=False),
        sa.CheckConstraint("points > 0", name=op.f("ck_question_versions_points")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_versions")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )
    op.create_index(
        op.f("ix_question_versions_question_id_id"), "question_versions", ["question_id", "id"], unique=False
    )


QUESTION_TYPES = ("multiple_choice", "true_false", "short_answer", "essay")
PARTIAL_CREDITS = ("all_or_nothing", "right_minus_wrong", "right_only")


def _enum(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _create_attempt_questions() -> None:
    op.create_table(
        "attempt_questions",
        *_key_and_times(),
        sa.Column("attempt_id", orm.BigIntKey, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("question_id", orm.BigIntKey, nullable=False),
        sa.Column("version_id", orm.BigIntKey, nullable=False),
        sa.Column("key_version_id", orm.BigIntKey, nullable=False),
        sa.Column("selected_options", orm.case_sensitive(400), nullable=True),
        sa.Column("answer_boolean", sa.Boolean(), nullable=True),
        sa.Column("answer_text", orm.long_text(), nullable=True),
        sa.Column("saved_at", orm.UtcDateTime(), nullable=True),
        sa.Column("earned_points", orm.FixedDecimal(), nullable=True),
        sa.Column("feedback", orm.long_text(), nullable=True),
        sa.Column("graded_by_id", orm.BigIntKey, nullable=True),
        sa.Column("graded_at", orm.UtcDateTime(), nullable=True),
        sa.CheckConstraint("position >= 0", name=op.f("ck_attempt_questions_position")),
        sa.CheckConstraint("earned_points >= 0", name=op.f("ck_attempt_questions_earned_points")),
        _foreign_key("attempt_questions", "attempt_id", "quiz_attempts"),
        _foreign_key("attempt_questions", "version_id", "question_versions"),
        _foreign_key("attempt_questions", "key_version_id", "question_versions"),
        _foreign_key("attempt_questions", "graded_by_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt_questions")),
        sa.UniqueConstraint("attempt_id", "position", name=op.f("uq_attempt_questions_attempt_id_position")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )
    for columns in (["question_id", "attempt_id"], ["version_id"], ["key_version_id"], ["graded_by_id"]):
        name = op.f("ix_attempt_questions_" + "_".join(columns))
        op.create_index(name, "attempt_questions", columns, unique=False)


def _create_quiz_accommodations() -> None:
    op.create_table(
        "quiz_accommodations",
        *_key_and_times(),
        sa.Column("quiz_id", orm.BigIntKey, nullable=False),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.Column("extra_time_percent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("extra_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("note", orm.long_text(), nullable=True),
        sa.CheckConstraint(
            "extra_time_percent >= 0 AND extra_time_percent <= 400",
            name=op.f("ck_quiz_accommodations_extra_time_percent"),
        ),
        sa.CheckConstraint(
            "extra_attempts >= 0 AND extra_attempts <= 100", name=op.f("ck_quiz_accommodations_extra_attempts")
        ),
        _foreign_key("quiz_accommodations", "quiz_id", "quizzes"),
        _foreign_key("quiz_accommodations", "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiz_accommodations")),
        sa.UniqueConstraint("quiz_id", "user_id", name=op.f("uq_quiz_accommodations_quiz_id_user_id")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_quiz_accommodations_user_id"), "quiz_accommodations", ["user_id"], unique=False)


def _create_question_regrades() -> None:
    op.create_table(
        "question_regrades",
        *_key_and_times(),
        sa.Column("question_id", orm.BigIntKey, nullable=False),
        sa.Column("version_id", orm.BigIntKey, nullable=False),
        sa.Column("actor_id", orm.BigIntKey, nullable=False),
        sa.Column("policy", _enum("policy", ("new_key", "keep_better", "full_points")), nullable=False),
        sa.Column("regraded_to", orm.BigIntKey, server_default="0", nullable=False),
        sa.Column("finished_at", orm.UtcDateTime(), nullable=True),
        _foreign_key("question_regrades", "version_id", "question_versions"),
        _foreign_key("question_regrades", "actor_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_regrades")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )
    for columns in (["finished_at", "id"], ["question_id"], ["version_id"], ["actor_id"]):
        name = op.f("ix_question_regrades_" + "_".join(columns))
        op.create_index(name, "question_regrades", columns, unique=False)


def _create_quiz_statistics() -> None:
    op.create_table(
        "quiz_statistics",
        sa.Column("quiz_id", orm.BigIntKey, autoincrement=False, nullable=False),
        sa.Column("as_of", orm.UtcDateTime(), nullable=False),
        sa.Column("statistics", orm.Json(), nullable=False),
        _foreign_key("quiz_statistics", "quiz_id", "quizzes", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("quiz_id", name=op.f("pk_quiz_statistics")),
        **orm.TABLE_OPTIONS,
    )


def _foreign_key(table: str, column: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name, ondelete=ondelete)


def _key_and_times() -> list[sa.Column]:
    return [
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
    ]
