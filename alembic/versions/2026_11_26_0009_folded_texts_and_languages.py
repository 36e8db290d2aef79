"""Sort keys and search terms without strokes and ligatures, and the primary language of courses.

Slugs stay, so that links keep working. A category whose new key a sibling has keeps its old key.

The columns and indexes come first, and each step first checks whether it was done already. So a migration that was
interrupted on MySQL or MariaDB, whose DDL is not transactional, can be run again.

Revision ID: 0009
Revises: 0008
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

import sqlalchemy as sa
from alembic import op

from lms_graphql.core import orm
from lms_graphql.core.search_terms import index_terms
from lms_graphql.core.text import sort_key

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
blocks_writes_to = ("users", "user_terms", "courses", "course_terms", "course_categories")

INDEX = "ix_courses_status_primary_language_created_at_id"
BATCH_SIZE = 500
USERS = sa.table("users", *map(sa.column, "id first_name last_name username email name_key deleted_at".split()))
COURSES = sa.table(
    "courses", *map(sa.column, "id title title_key short_description description language primary_language".split())
)
CATEGORIES = sa.table("course_categories", *map(sa.column, "id name name_key parent_key".split()))
USER_TERMS = sa.table("user_terms", *map(sa.column, "user_id term".split()))
COURSE_TERMS = sa.table("course_terms", *map(sa.column, "course_id term weight".split()))


def upgrade() -> None:
    inspector = sa.inspect(op.get_bind())
    if "primary_language" not in {column["name"] for column in inspector.get_columns("courses")}:
        column = sa.Column("primary_language", orm.case_sensitive(8), server_default="", nullable=False)
        op.add_column("courses", column)
    if INDEX not in {index["name"] for index in inspector.get_indexes("courses")}:
        op.create_index(op.f(INDEX), "courses", ["status", "primary_language", "created_at", "id"], unique=False)
    connection = op.get_bind()
    for language in connection.scalars(sa.select(COURSES.c.language).distinct()).all():
        primary = language.partition("-")[0].lower()[:8]
        change = sa.update(COURSES).where(COURSES.c.language == language).values(primary_language=primary)
        connection.execute(change)
    Reindexing(sort_key, index_terms).run()


def downgrade() -> None:
    Reindexing(sort_key_of_0008, index_terms_of_0008).run()
    inspector = sa.inspect(op.get_bind())
    if INDEX in {index["name"] for index in inspector.get_indexes("courses")}:
        op.drop_index(op.f(INDEX), table_name="courses")
    if "primary_language" in {column["name"] for column in inspector.get_columns("courses")}:
        op.drop_column("courses", "primary_language")


class Reindexing:
    """Recomputation of all sort keys and search terms. It writes only what differs."""

    def __init__(self, sort_key: Callable[[str], str], index_terms: Callable[[str], Iterable[str]]) -> None:
        self.sort_key, self.index_terms = sort_key, index_terms

    def run(self) -> None:
        for users in _batches(USERS):
            self._write_keys(USERS.c.name_key, [(user, f"{user.first_name} {user.last_name}") for user in users])
            _write_terms(USER_TERMS, {user.id: self._user_terms(user) for user in users})
        for courses in _batches(COURSES):
            self._write_keys(COURSES.c.title_key, [(course, course.title) for course in courses])
            _write_terms(COURSE_TERMS, {course.id: self._course_terms(course) for course in courses})
        self._write_category_keys()

    def _write_keys(self, column: sa.ColumnClause, texts: list[tuple[sa.Row, str]]) -> None:
        for row, text in texts:
            if (key := self.sort_key(text)) != getattr(row, column.name):
                _write_key(column, row.id, key)

    def _write_category_keys(self) -> None:
        """Write the new keys that no sibling has.

        The loop repeats, because a new key can become free when a sibling gets its own.
        """
        rows = op.get_bind().execute(sa.select(CATEGORIES).order_by(CATEGORIES.c.id)).all()
        keys = {row.id: row.name_key for row in rows}
        taken = {(row.parent_key, row.name_key) for row in rows}
        is_changed = True
        while is_changed:
            is_changed = False
            for row in rows:
                key = self.sort_key(row.name)
                if key != keys[row.id] and (row.parent_key, key) not in taken:
                    taken.remove((row.parent_key, keys[row.id]))
                    taken.add((row.parent_key, key))
                    keys[row.id] = key
                    _write_key(CATEGORIES.c.name_key, row.id, key)
                    is_changed = True

    def _user_terms(self, user: sa.Row) -> set[tuple]:
        if user.deleted_at is not None:
            return set()
        texts = (user.first_name, user.last_name, user.username, user.email or "")
        return {(term,) for text in texts for term in self.index_terms(text)}

    def _course_terms(self, course: sa.Row) -> set[tuple]:
        weights: dict[str, int] = {}
        for text, weight in ((course.title, 4), (course.short_description or "", 2), (course.description, 1)):
            for term in set(self.index_terms(text)):
                weights[term] = weights.get(term, 0) + weight
        return set(weights.items())


def _batches(table: sa.TableClause) -> Iterator[list[sa.Row]]:
    last = 0
    while rows := op.get_bind().execute(
        sa.select(table).where(table.c.id > last).order_by(table.c.id).limit(BATCH_SIZE)
    ).all():
        last = rows[-1].id
        yield rows


def _write_key(column: sa.ColumnClause, row_key: int, value: str) -> None:
    table = column.table
    op.get_bind().execute(sa.update(table).where(table.c.id == row_key).values({column.name: value}))


def _write_terms(table: sa.TableClause, expected: dict[int, set[tuple]]) -> None:
    """Replace the terms of the owners that have others. `expected` maps each owner of a batch to its rows."""
    connection, (owner, *columns) = op.get_bind(), table.c
    stored: defaultdict[int, set[tuple]] = defaultdict(set)
    for key, *values in connection.execute(sa.select(table).where(owner.between(min(expected), max(expected)))):
        stored[key].add(tuple(values))
    for key, terms in expected.items():
        if terms != stored[key]:
            connection.execute(sa.delete(table).where(owner == key))
            names = [column.name for column in columns]
            rows = [{owner.name: key, **dict(zip(names, values))} for values in sorted(terms)]
            if rows:
                connection.execute(sa.insert(table), rows)


def fold_of_0008(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def sort_key_of_0008(text: str) -> str:
    return " ".join(fold_of_0008(text).split())[:200]


def index_terms_of_0008(text: str) -> Iterator[str]:
    folded = fold_of_0008(text)
    for word in re.findall(r"\w+(?:\+\+|#)?|(?<!\w)\.\w+", folded):
        yield word[:64]
        yield word.rstrip("+#").lstrip(".")[:64]
    for word in re.findall(r"\.(\w+)", folded):
        yield f".{word}"[:64]
