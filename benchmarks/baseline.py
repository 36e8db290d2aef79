"""The baseline: a hand-written endpoint for the three workloads, without GraphQL, and without SQLAlchemy at run time.

It runs the service's own statements on the same driver and returns the same responses. It reads the database in the
event loop, one request at a time, because that costs the process less than any switch to a thread.
"""

import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import UTC
from functools import cache
from typing import Any

import orjson
import pymysql
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks import statements
from benchmarks.statements import Statement
from lms_graphql import wiring
from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.catalog.reads.categories import categories_by_key
from lms_graphql.catalog.reads.courses import CourseFilter, CourseOrder, courses, courses_by_slug
from lms_graphql.catalog.reads.curriculum import lectures_by_section, sections_by_course
from lms_graphql.core.actor import ANONYMOUS
from lms_graphql.core.list_queries import fetch_pages
from lms_graphql.core.pagination import PageArguments

Row = tuple[Any, ...]
Object = dict[str, Any]


def capture(read: Callable[[Session], object]) -> Statement:
    return statements.capture(os.environ["LMS_DATABASE_URL"], read)


@cache
def newest_courses(size: int) -> Statement:
    query = courses(ANONYMOUS.access_level, CourseFilter(), None, CourseOrder.NEWEST)
    return capture(
        lambda session: fetch_pages(session, ANONYMOUS, query, [None], PageArguments(first=size), lambda _: 0)
    )


wiring.register_hooks()
COURSE = capture(lambda session: courses_by_slug(session, ANONYMOUS, ["-"]))
USERS = capture(lambda session: users_by_key(session, ANONYMOUS, [1]))
CATEGORIES = capture(lambda session: categories_by_key(session, ANONYMOUS, [1]))
SECTIONS = capture(lambda session: sections_by_course(session, ANONYMOUS, [1]))
LECTURES = capture(lambda session: lectures_by_section(session, ANONYMOUS, [1]))

course_of_tree = COURSE.pick("id", "slug", "title", "language", "difficulty_level", "status", "total_lectures")
course_of_page = COURSE.pick(
    "id", "slug", "title", "short_description", "difficulty_level", "language", "total_lectures"
)
course_of_list = COURSE.pick("id", "title")
cursor_values_of_course = COURSE.pick("id", "created_at")
references_of_course = COURSE.pick("instructor_id", "category_id")
user_of = USERS.pick("id", "first_name", "last_name", "deleted_at")
category_of = CATEGORIES.pick("id", "name")
section_of = SECTIONS.pick(
    "id", "course_id", "title", "description", "order_index", "total_lectures", "total_duration"
)
lecture_of = LECTURES.pick(
    "id", "section_id", "title", "description", "lecture_type", "order_index", "duration", "is_preview"
)

database = pymysql.connect(
    host=os.environ["DB_HOST"],
    port=int(os.environ["DB_PORT"]),
    user=os.environ["DB_USER"],
    database=os.environ["DB_NAME"],
    charset="utf8mb4",
    autocommit=True,
)


def fetch(statement: Statement, keys: Sequence[Any] | None = None) -> Sequence[Row]:
    with database.cursor() as cursor:
        cursor.execute(statement.text, None if keys is None else (keys,))
        return cursor.fetchall()


def global_id(kind: bytes, key: int) -> str:
    return urlsafe_b64encode(b"%s:%d" % (kind, key)).rstrip(b"=").decode()


def course_tree(variables: Object) -> Object:
    rows = fetch(COURSE, [variables["slug"]])
    if not rows:
        return {"course": None}
    key, slug, title, language, difficulty, status, lecture_count = course_of_tree(rows[0])
    course = {
        "id": global_id(b"Course", key),
        "slug": slug,
        "title": title,
        "language": language,
        "difficulty": difficulty.upper(),
        "status": status.upper(),
        "lectureCount": lecture_count,
        "sections": sections_of_tree(key),
    }
    return {"course": course}


def sections_of_tree(course: int) -> list[Object]:
    sections = []
    lectures_by_section: dict[int, list[Object]] = {}
    for row in fetch(SECTIONS, [course]):
        key, _, title, description, position, lecture_count, seconds = section_of(row)
        sections.append(
            {
                "__typename": "Section",
                "id": global_id(b"Section", key),
                "title": title,
                "description": description,
                "position": position,
                "lectureCount": lecture_count,
                "durationSeconds": seconds,
                "lectures": lectures_by_section.setdefault(key, []),
            }
        )
    for row in fetch(LECTURES, list(lectures_by_section)):
        key, section, title, description, kind, position, seconds, is_preview = lecture_of(row)
        lectures_by_section[section].append(
            {
                "id": global_id(b"Lecture", key),
                "title": title,
                "description": description,
                "type": kind.upper(),
                "position": position,
                "durationSeconds": seconds,
                "isPreview": bool(is_preview),
            }
        )
    return sections


def catalog_page(variables: Object) -> Object:
    size = variables["first"]
    fetched = fetch(newest_courses(size))
    rows = fetched[:size]
    users, categories = references(rows)
    nodes = []
    for row in rows:
        key, slug, title, short, difficulty, language, lecture_count = course_of_page(row)
        instructor, category = references_of_course(row)
        nodes.append(
            {
                "id": global_id(b"Course", key),
                "slug": slug,
                "title": title,
                "shortDescription": short,
                "difficulty": difficulty.upper(),
                "language": language,
                "lectureCount": lecture_count,
                "instructor": users[instructor],
                "category": categories.get(category),
            }
        )
    page_info = {"hasNextPage": len(fetched) > size, "endCursor": cursor_of(rows[-1]) if rows else None}
    return {"courses": {"nodes": nodes, "pageInfo": page_info}}


def all_lectures(variables: Object) -> Object:
    rows = fetch(newest_courses(variables["first"]))[: variables["first"]]
    users, categories = references(rows)
    nodes = []
    sections_by_course: dict[int, list[Object]] = {}
    for row in rows:
        key, title = course_of_list(row)
        instructor, category = references_of_course(row)
        nodes.append(
            {
                "id": global_id(b"Course", key),
                "title": title,
                "instructor": users[instructor],
                "category": categories.get(category),
                "sections": sections_by_course.setdefault(key, []),
            }
        )
    lectures_by_section: dict[int, list[Object]] = {}
    for row in fetch(SECTIONS, list(sections_by_course)):
        section, course, title, *_ = section_of(row)
        lectures = lectures_by_section.setdefault(section, [])
        sections_by_course[course].append(
            {"id": global_id(b"Section", section), "title": title, "lectures": lectures}
        )
    for row in fetch(LECTURES, list(lectures_by_section)):
        lecture, section, title, _, kind, _, seconds, _ = lecture_of(row)
        lectures_by_section[section].append(
            {"id": global_id(b"Lecture", lecture), "title": title, "type": kind.upper(), "durationSeconds": seconds}
        )
    return {"courses": {"nodes": nodes}}


def references(rows: Sequence[Row]) -> tuple[dict[int, Object], dict[int, Object]]:
    """Return the instructors and categories of the courses, by key."""
    pairs = [references_of_course(row) for row in rows]
    users = {}
    for row in fetch(USERS, list({instructor for instructor, _ in pairs})):
        key, first, last, deleted_at = user_of(row)
        name = f"{first} {last}".strip() if deleted_at is None else "Deleted user"
        users[key] = {"id": global_id(b"User", key), "fullName": name}
    categories = {}
    for row in fetch(CATEGORIES, list({category for _, category in pairs if category is not None})):
        key, name = category_of(row)
        categories[key] = {"id": global_id(b"Category", key), "name": name}
    return users, categories


def cursor_of(row: Row) -> str:
    key, created_at = cursor_values_of_course(row)
    values = ["courses:newest", created_at.replace(tzinfo=UTC).isoformat(), key]
    return urlsafe_b64encode(orjson.dumps(values)).rstrip(b"=").decode()


RESOLVERS = {"CourseTree": course_tree, "CatalogPage": catalog_page, "AllLectures": all_lectures}


async def graphql(request: Request) -> Response:
    body = orjson.loads(await request.body())
    data = RESOLVERS[body["operationName"]](body["variables"])
    return Response(orjson.dumps({"data": data}), media_type="application/json")


app = Starlette(routes=[Route("/graphql", graphql, methods=["POST"])])
