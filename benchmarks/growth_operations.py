"""Operations whose cost should not grow with the catalog, with variables from the database that they run on."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Category, Course, CourseStatus, CourseTerm, Enrollment
from lms_graphql.catalog.reads import courses
from lms_graphql.catalog.reads.courses import CourseFilter, CourseOrder
from lms_graphql.core import global_ids
from lms_graphql.core.actor import AccessLevel, Role
from lms_graphql.core.search_terms import PREFIX_MARK

CARD = (
    "id slug title shortDescription difficulty language lectureCount instructor { id fullName } category { id name }"
)
LIST = f"""query Courses($order: CourseOrder, $after: String, $search: String, $filter: CourseFilter) {{
  courses(first: 20, orderBy: $order, after: $after, search: $search, filter: $filter) {{
    nodes {{ {CARD} }} pageInfo {{ hasNextPage endCursor }}
  }}
}}"""
COUNTED_LIST = LIST.replace("nodes", "totalCount nodes")
TREE = """query Tree($slug: String!) { course(slug: $slug) {
  id title sections { id title lectures { id title type durationSeconds isPreview } }
} }"""
BRANCH = (
    f"query Branch($slug: String!) {{ category(slug: $slug) {{ id courses(first: 20) {{ nodes {{ {CARD} }} }} }} }}"
)
HOME = "query Home { categories { id name courseCount courses(first: 4) { nodes { id title } } } }"
FACETS = """query Facets($search: String, $filter: CourseFilter) { courseFacets(search: $search, filter: $filter) {
  totalCount freeCount paidCount difficulties { difficulty count } languages { language count }
  categories { count category { id name } }
} }"""
LEARNER_DASHBOARD = """query Dashboard { me { enrollments(first: 20) { totalCount nodes {
  id status course { id title instructor { id fullName } } certificate { id }
  progress { percent completedLectures totalLectures currentLecture { id title } }
} } } }"""
INSTRUCTOR_DASHBOARD = """query Teaching { me {
  courses(first: 20) { totalCount nodes {
    id title status enrollmentCount analytics { completionCount averageProgressPercent }
  } }
  teaching { courseCount learnerCount enrollmentCount completionCount
    openQuestions(first: 10) { nodes { id title } } attemptsToGrade(first: 10) { nodes { id } }
  }
} }"""
LEARNERS = """query Learners($slug: String!, $search: String, $order: EnrollmentOrder) { course(slug: $slug) {
  id enrollments(first: 20, search: $search, orderBy: $order) { totalCount nodes {
    id status enrolledAt user { id fullName } progress { percent }
  } }
} }"""
USERS = "query Users { users(first: 20) { totalCount nodes { id email } } }"


class Operation(NamedTuple):
    """A GraphQL request. `user_key` is the key of the user who sends it; None is an anonymous client."""

    name: str
    document: str
    variables: dict[str, Any]
    user_key: int | None = None


def growth_operations(session: Session) -> Iterator[Operation]:
    """Yield the operations with variables that hit much in this database: frequent words, large categories."""
    slug = _first(session, select(Course.slug).where(_is_published()).order_by(func.abs(Course.total_lectures - 100)))
    yield Operation("course tree", TREE, {"slug": slug})
    for order in CourseOrder:
        if order is not CourseOrder.RELEVANCE:
            yield Operation(f"page 1 {order.name}", LIST, {"order": order.name})
            yield Operation(
                f"page at 80 % {order.name}", LIST, {"order": order.name, "after": _cursor(session, order)}
            )
    yield Operation("page 1 with totalCount", COUNTED_LIST, {})
    yield from _searches(session)
    yield from _categories(session)
    yield from _filters()
    yield from _dashboards(session)


def _searches(session: Session) -> Iterator[Operation]:
    count = func.count().label("count")
    terms = select(CourseTerm.term).where(~CourseTerm.term.endswith(PREFIX_MARK)).group_by(CourseTerm.term)
    frequent, other = session.scalars(terms.order_by(count.desc(), CourseTerm.term).limit(2))
    rare = _first(session, terms.where(func.length(CourseTerm.term) > 5).order_by(count, CourseTerm.term))
    for name, search in (("frequent word", frequent), ("rare word", rare), ("both words", f"{frequent} {rare}")):
        yield Operation(f"search {name}", LIST, {"search": search})
    yield Operation("search two frequent words", LIST, {"search": f"{frequent} {other}"})
    yield Operation("search one letter", LIST, {"search": frequent[:1]})
    yield Operation("search frequent word, NEWEST", LIST, {"search": frequent, "order": "NEWEST"})
    yield Operation("search frequent word with totalCount", COUNTED_LIST, {"search": frequent})
    yield Operation("facets of a frequent word", FACETS, {"search": frequent})
    yield Operation("facets of a rare word", FACETS, {"search": rare})


def _categories(session: Session) -> Iterator[Operation]:
    root = session.execute(
        select(Category.id, Category.slug).where(Category.parent_id.is_(None)).order_by(Category.id).limit(1)
    ).one()
    yield Operation("filter root category", LIST, {"filter": {"categoryId": global_ids.encode("Category", root.id)}})
    yield Operation("filter root category slug", LIST, {"filter": {"categorySlug": root.slug}})
    yield Operation("courses of root category", BRANCH, {"slug": root.slug})
    yield Operation("home page: counts and courses of each root", HOME, {})


def _filters() -> Iterator[Operation]:
    yield Operation("facets", FACETS, {})
    yield Operation("filter difficulty and price", LIST, {"filter": {"difficulty": "BEGINNER", "isFree": True}})
    yield Operation("filter language, TITLE", LIST, {"filter": {"language": "de"}, "order": "TITLE"})
    yield Operation("filter languages", LIST, {"filter": {"languages": ["de", "fr"]}})
    yield Operation("filter duration", LIST, {"filter": {"minDurationSeconds": 36_000}})


def _dashboards(session: Session) -> Iterator[Operation]:
    enrollments = select(Enrollment.user_id).group_by(Enrollment.user_id).order_by(func.count().desc())
    courses = select(Course.instructor_id).group_by(Course.instructor_id).order_by(func.count().desc())
    admin = _first(session, select(User.id).where(User.role == Role.SUPER_ADMIN).order_by(User.id))
    yield Operation("learner's dashboard", LEARNER_DASHBOARD, {}, _first(session, enrollments))
    yield Operation("instructor's dashboard", INSTRUCTOR_DASHBOARD, {}, _first(session, courses))
    by_size = select(Course.slug).where(_is_published()).order_by(Course.enrollment_count.desc())
    largest = {"slug": _first(session, by_size)}
    yield Operation("learners of the largest course", LEARNERS, largest, admin)
    yield Operation(
        "learners of the largest course, by progress", LEARNERS, {**largest, "order": "MOST_PROGRESS"}, admin
    )
    yield Operation("learners of the largest course, search", LEARNERS, {**largest, "search": "an"}, admin)
    yield Operation("super admin: drafts with totalCount", COUNTED_LIST, {"filter": {"status": "DRAFT"}}, admin)
    yield Operation("super admin: users", USERS, {}, admin)


def _cursor(session: Session, order: CourseOrder) -> str:
    """Return the cursor of the course after 80 % of the published ones."""
    count = session.scalar(select(func.count()).where(_is_published())) or 0
    query = courses.courses(AccessLevel.ANONYMOUS, CourseFilter(), None, order)
    rows = query.rows.order_by(*query.order.columns(backward=False)).limit(1).offset(count * 4 // 5)
    return query.order.cursor(query.to_row(session.execute(rows).one()))


def _is_published() -> Any:
    return Course.status == CourseStatus.PUBLISHED


def _first(session: Session, statement: Select[Any]) -> Any:
    return session.execute(statement.limit(1)).scalar_one()
