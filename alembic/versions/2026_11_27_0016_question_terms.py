"""Search terms of questions, the course of each question, and indexes for the lists of a course and of a user.

Each step first checks whether it was done already. So a migration that was interrupted on MySQL or MariaDB, whose DDL
is not transactional, can be run again.

Revision ID: 0016
Revises: 0015
"""

from collections import defaultdict

import sqlalchemy as sa
from alembic import op

from lms_graphql.core import orm
from lms_graphql.core.search_terms import index_terms

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
blocks_writes_to = ("qa_questions", "lectures")

BATCH_SIZE = 500
NEW_INDEXES = (
    ("qa_questions", ["lecture_id", "course_id"]),
    ("qa_questions", ["course_id", "created_at", "id"]),
    ("qa_questions", ["course_id", "vote_count", "id"]),
    ("qa_questions", ["user_id", "created_at", "id"]),
    ("notes", ["user_id", "created_at", "id"]),
)
OLD_INDEX = ("qa_questions", ["user_id"])
FOREIGN_KEY = "fk_qa_questions_lecture_id"
OF_LECTURE, OF_LECTURE_AND_COURSE = ["lecture_id"], ["lecture_id", "course_id"]
QUESTIONS = sa.table("qa_questions", *map(sa.column, "id course_id title content".split()))
TERMS = sa.table("qa_question_terms", *map(sa.column, "course_id term question_id".split()))


def upgrade() -> None:
    if "course_id" not in _columns():
        op.add_column("qa_questions", sa.Column("course_id", orm.BigIntKey, server_default="0", nullable=False))
    op.execute(
        "UPDATE qa_questions SET course_id = (SELECT course_id FROM lectures WHERE lectures.id = qa_questions.lecture_id)"
        " WHERE course_id = 0"
    )
    for table, columns in NEW_INDEXES:
        _create_index(table, columns)
    _drop_index(*OLD_INDEX)
    _replace_foreign_key(OF_LECTURE, OF_LECTURE_AND_COURSE)
    _create_terms()
    _write_terms()


def downgrade() -> None:
    if "qa_question_terms" in sa.inspect(op.get_bind()).get_table_names():
        op.drop_table("qa_question_terms")
    _replace_foreign_key(OF_LECTURE_AND_COURSE, OF_LECTURE)
    _create_index(*OLD_INDEX)
    for table, columns in NEW_INDEXES:
        _drop_index(table, columns)
    if "course_id" in _columns():
        op.drop_column("qa_questions", "course_id")


def _replace_foreign_key(old: list[str], new: list[str]) -> None:
    keys = {key["name"]: key for key in sa.inspect(op.get_bind()).get_foreign_keys("qa_questions")}
    if FOREIGN_KEY in keys and keys[FOREIGN_KEY]["constrained_columns"] == new:
        return
    if op.get_context().dialect.name == "sqlite":
        _write_instead(_definition(old), _definition(new))
        return
    if FOREIGN_KEY in keys:
        op.drop_constraint(op.f(FOREIGN_KEY), "qa_questions", type_="foreignkey")
    op.create_foreign_key(op.f(FOREIGN_KEY), "qa_questions", "lectures", new, _lecture_columns(new))


def _write_instead(old: str, new: str) -> None:
    """Replace a part of the CREATE TABLE statement that SQLite stores as its schema.

    SQLite cannot change a foreign key. A copy of the table would delete the answers, which refer to the old table.
    """
    op.execute("PRAGMA writable_schema = ON")
    where = "WHERE type = 'table' AND name = 'qa_questions'"
    op.execute(f"UPDATE sqlite_master SET sql = replace(sql, '{old}', '{new}') {where}")
    op.execute("PRAGMA writable_schema = RESET")


def _definition(columns: list[str]) -> str:
    referred = ", ".join(_lecture_columns(columns))
    return f"FOREIGN KEY({', '.join(columns)}) REFERENCES lectures ({referred})"


def _lecture_columns(columns: list[str]) -> list[str]:
    return ["id", *columns[1:]]


def _create_terms() -> None:
    if "qa_question_terms" not in sa.inspect(op.get_bind()).get_table_names():
        op.create_table(
            "qa_question_terms",
            sa.Column("course_id", orm.BigIntKey, autoincrement=False, nullable=False),
            sa.Column("term", orm.case_sensitive(64), nullable=False),
            sa.Column("question_id", orm.BigIntKey, autoincrement=False, nullable=False),
            sa.ForeignKeyConstraint(
                ["question_id"],
                ["qa_questions.id"],
                name=op.f("fk_qa_question_terms_question_id"),
                ondelete="CASCADE",
            ),
            sa.PrimaryKeyConstraint("course_id", "term", "question_id", name=op.f("pk_qa_question_terms")),
            sqlite_with_rowid=False,
            **orm.TABLE_OPTIONS,
        )
    _create_index("qa_question_terms", ["question_id"])


def _write_terms() -> None:
    """Write the terms of all questions. Those of an interrupted run are compared first."""
    connection, last_key = op.get_bind(), 0
    questions = sa.select(QUESTIONS).where(QUESTIONS.c.id > sa.bindparam("after")).order_by(QUESTIONS.c.id)
    while batch := connection.execute(questions.limit(BATCH_SIZE), {"after": last_key}).all():
        stored: defaultdict[int, set[tuple]] = defaultdict(set)
        in_batch = TERMS.c.question_id.between(batch[0].id, batch[-1].id)
        for row in connection.execute(sa.select(TERMS).where(in_batch)):
            stored[row.question_id].add(tuple(row))
        rows = []
        for question in batch:
            terms = {*index_terms(question.title), *index_terms(question.content)}
            expected = {(question.course_id, term, question.id) for term in terms}
            if stored[question.id] and stored[question.id] != expected:
                connection.execute(sa.delete(TERMS).where(TERMS.c.question_id == question.id))
                stored[question.id] = set()
            rows += sorted(expected - stored[question.id])
        if rows:
            names = [column.name for column in TERMS.c]
            connection.execute(sa.insert(TERMS), [dict(zip(names, row)) for row in rows])
        last_key = batch[-1].id


def _columns() -> set[str]:
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns("qa_questions")}


def _index_name(table: str, columns: list[str]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"


def _has_index(table: str, columns: list[str]) -> bool:
    indexes = sa.inspect(op.get_bind()).get_indexes(table)
    return any(index["name"] == _index_name(table, columns) for index in indexes)


def _create_index(table: str, columns: list[str]) -> None:
    if not _has_index(table, columns):
        op.create_index(op.f(_index_name(table, columns)), table, columns, unique=False)


def _drop_index(table: str, columns: list[str]) -> None:
    if _has_index(table, columns):
        op.drop_index(op.f(_index_name(table, columns)), table_name=table)
