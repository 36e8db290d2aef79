"""Mutations of courses."""

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import select

from lms_graphql.catalog import counters
from lms_graphql.catalog.models import Course, CourseStatus, CourseTerm, Lecture, Section
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from tests.accounts.test_users import count
from tests.catalog.course_client import (
    COURSE_MUTATIONS,
    INVALID_IDS,
    UNKNOWN_ID,
    CourseClient,
    rounds_for_database,
    service_racers,
)
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client, Service, StatementRecorder

SEARCH = """query F($search: String, $status: CourseStatus) {
  courses(search: $search, filter: {status: $status}) { totalCount nodes { title } }
}"""
NEW: dict[str, Any] = {"title": "Python from Zero", "description": "Snakes and programs."}


@pytest.fixture
def instructor(client: Client, make: Factories) -> CourseClient:
    return CourseClient(client, make.actor(make.user(Role.INSTRUCTOR)))


@pytest.fixture
def admin(client: Client, make: Factories) -> CourseClient:
    return CourseClient(client, make.actor(make.user(Role.SUPER_ADMIN)))


def instructor_client(client: Client, make: Factories, course: CourseTree) -> CourseClient:
    return CourseClient(client, make.actor(course.instructor))


def titles(client: Client, as_: Actor | None, search: str | None = None, status: str = "DRAFT") -> list[str]:
    """Return the titles of the courses that the actor's search finds."""
    page = client.execute(SEARCH, as_=as_, search=search, status=status)["courses"]
    assert page["totalCount"] == len(page["nodes"])
    return [node["title"] for node in page["nodes"]]


def test_new_course_is_a_draft_of_its_creator(client: Client, instructor: CourseClient) -> None:
    created = instructor.ok("createCourse", **NEW)
    assert {name: created[name] for name in ("title", "slug", "description", "status", "version", "publishedAt")} == {
        "title": "Python from Zero",
        "slug": "python-from-zero",
        "description": "Snakes and programs.",
        "status": "DRAFT",
        "version": 1,
        "publishedAt": None,
    }
    assert (created["price"], created["isFree"], created["isFeatured"]) == (
        {"amount": "0.00", "currency": "USD"},
        True,
        False,
    )
    assert (created["difficulty"], created["language"], created["allowQa"], created["allowNotes"]) == (
        "BEGINNER",
        "en",
        True,
        True,
    )
    assert client.execute("{ me { id } }", as_=instructor.actor)["me"] == created["instructor"]
    assert titles(client, instructor.actor) == titles(client, instructor.actor, "snakes pyth") == ["Python from Zero"]
    assert titles(client, None, "snakes") == titles(client, None, "snakes", "PUBLISHED") == []


def test_new_course_stores_all_fields(make: Factories, instructor: CourseClient) -> None:
    fields = {
        "title": "  Über Käse ",
        "description": "# Käse\n\nMarkdown *as written*.  ",
        "shortDescription": "Nur Käse.",
        "categoryId": global_id("Category", make.category()),
        "currency": "BHD",
        "difficulty": "ADVANCED",
        "language": "de-ch",
        "thumbnailUrl": "https://example.com/käse.jpg",
        "previewVideoUrl": "http://example.com/a.mp4",
        "allowQa": False,
        "allowNotes": False,
    }
    created = instructor.ok("createCourse", price="1.234", **fields)
    assert created["price"] == {"amount": "1.234", "currency": "BHD"}
    assert (created["title"], created["slug"], created["language"]) == ("Über Käse", "uber-kase", "de-CH")
    assert created["category"] == {"id": fields["categoryId"]}
    unchanged = (
        "description",
        "shortDescription",
        "difficulty",
        "thumbnailUrl",
        "previewVideoUrl",
        "allowQa",
        "allowNotes",
    )
    assert {name: created[name] for name in unchanged} == {name: fields[name] for name in unchanged}


def test_title_in_any_script_gets_a_readable_slug(instructor: CourseClient) -> None:
    for title, slug in (("Łódź for Beginners", "lodz-for-beginners"), ("机器学习", "ji-qi-xue-xi"), ("!?", "course")):
        assert instructor.ok("createCourse", title=title, description="")["slug"] == slug


def test_pasted_separators_become_line_breaks_and_spaces(instructor: CourseClient) -> None:
    texts = {"title": "One\u2028two\x0bthree\x85", "description": "a\u2028b\u2029c\x0bd\x0ce\x85f\r\ng\n"}
    created = instructor.ok("createCourse", **texts)
    assert (created["title"], created["description"]) == ("One two three", "a\nb\nc\nd\ne\nf\r\ng\n")


def test_refused_character_is_named_with_its_place(instructor: CourseClient) -> None:
    values = {"title": "  Beep\x07", "description": "\n\x1b", "thumbnailUrl": "https://exam\u200bple.com/"}
    payload = instructor.payload("createCourse", **values)
    assert {error["path"][-1]: error["message"] for error in payload["errors"]} == {
        "title": "Character 7 (U+0007) is not allowed. Remove it.",
        "description": "Character 2 (U+001B) is not allowed. Remove it.",
        "thumbnailUrl": "Character 13 (U+200B) is not allowed. Remove it.",
    }


def test_null_in_a_new_course_means_default(instructor: CourseClient) -> None:
    omitted = ["shortDescription", "categoryId", "price", "currency", "difficulty", "language", "thumbnailUrl"]
    created = instructor.ok(
        "createCourse", **NEW, **dict.fromkeys([*omitted, "previewVideoUrl", "allowQa", "allowNotes"])
    )
    assert (created["price"]["currency"], created["difficulty"], created["language"]) == ("USD", "BEGINNER", "en")
    assert created["allowQa"] is created["allowNotes"] is True


INVALID_FIELDS: list[tuple[str, Any, str]] = [
    ("title", " ", "REQUIRED"),
    ("title", "\u200b \u202e\ufeff", "REQUIRED"),
    ("title", "\u3164\u2800", "REQUIRED"),
    ("title", "x" * 201, "TOO_LONG"),
    ("title", "two\nlines", "INVALID"),
    ("description", "x" * 10_001, "TOO_LONG"),
    ("shortDescription", "x" * 501, "TOO_LONG"),
    ("price", "-0.01", "OUT_OF_RANGE"),
    ("price", "19.999", "OUT_OF_RANGE"),
    ("price", "1000000000", "OUT_OF_RANGE"),
    ("price", "999999999999999999", "OUT_OF_RANGE"),
    ("language", " ", "REQUIRED"),
    ("language", "e", "INVALID"),
    ("language", "en_US", "INVALID"),
    ("language", "english, of course", "INVALID"),
    ("language", "en-" + "-".join(["abcdefgh"] * 4), "INVALID"),
    ("thumbnailUrl", "javascript:alert(1)", "INVALID"),
    ("thumbnailUrl", "/picture.jpg", "INVALID"),
    ("thumbnailUrl", "https://pictures.example.com@evil.example/a.jpg", "INVALID"),
    ("thumbnailUrl", "https://user:word@example.com/a.jpg", "INVALID"),
    ("thumbnailUrl", "https://example.com\\@evil.example/a.jpg", "INVALID"),
    ("thumbnailUrl", "https://exam\u200bple.com/a.jpg", "INVALID"),
    ("thumbnailUrl", "https://example.com/\u202egpj.a", "INVALID"),
    ("thumbnailUrl", 'https://example.com/"onerror=', "INVALID"),
    ("thumbnailUrl", "https://.", "INVALID"),
    ("thumbnailUrl", "https:example.com", "INVALID"),
    ("thumbnailUrl", "https://example.com/a b", "INVALID"),
    ("thumbnailUrl", "https://example.com:99999/", "INVALID"),
    ("previewVideoUrl", "ftp://example.com/a.mp4", "INVALID"),
    ("previewVideoUrl", "https://example.com/" + "x" * 2000, "TOO_LONG"),
]


@pytest.mark.sqlite_only
@pytest.mark.parametrize(("field", "value", "code"), INVALID_FIELDS)
def test_invalid_field_is_reported_and_nothing_changes(
    client: Client, make: Factories, service: Service, field: str, value: Any, code: str
) -> None:
    course = make.course("Old title", status=CourseStatus.DRAFT)
    author = instructor_client(client, make, course)
    assert author.user_errors("createCourse", **{**NEW, field: value}) == [(code, field)]
    valid = {"title": "Good"} if field != "title" else {"description": "Good"}
    assert author.user_errors("updateCourse", courseId=course.global_id, **valid, **{field: value}) == [(code, field)]
    assert count(service, Course) == 1
    unchanged = author.ok("updateCourse", courseId=course.global_id)
    assert (unchanged["title"], unchanged["description"], unchanged["version"]) == (
        "Old title",
        "What it is about.",
        1,
    )


def test_all_validation_errors_are_returned_together(
    client: Client, make: Factories, instructor: CourseClient
) -> None:
    invalid = {"title": "", "language": "?", "price": "-1", "thumbnailUrl": "x"}
    errors = {("REQUIRED", "title"), ("INVALID", "language"), ("OUT_OF_RANGE", "price"), ("INVALID", "thumbnailUrl")}
    on_creation = instructor.user_errors("createCourse", description="", currency="usd", **invalid)
    assert (len(on_creation), set(on_creation)) == (5, errors | {("INVALID", "currency")})
    course = make.course()
    on_update = instructor_client(client, make, course).user_errors(
        "updateCourse", courseId=course.global_id, **invalid
    )
    assert (len(on_update), set(on_update)) == (4, errors)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("code", ["", "usd", "XXX", "US", "USDT"])
def test_unknown_currency_is_invalid(instructor: CourseClient, code: str) -> None:
    assert instructor.user_errors("createCourse", **NEW, currency=code) == [("INVALID", "currency")]


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_course_in_a_withdrawn_currency_stays_readable(
    client: Client, make: Factories, instructor: CourseClient
) -> None:
    course = make.course(currency="BGN", price=1999)
    updated = instructor_client(client, make, course).ok("updateCourse", courseId=course.global_id, price="20.50")
    assert updated["price"] == {"amount": "20.50", "currency": "BGN"}
    assert instructor.user_errors("createCourse", **NEW, currency="BGN") == [("INVALID", "currency")]


@pytest.mark.parametrize(
    ("currency", "price", "expected"),
    [("JPY", 1500, "1500"), ("USD", "19.9", "19.90"), ("BHD", "0.001", "0.001"), ("USD", "999999999.99", None)],
)
def test_price_has_the_decimals_of_its_currency(
    instructor: CourseClient, currency: str, price: Any, expected: str | None
) -> None:
    created = instructor.ok("createCourse", **NEW, currency=currency, price=price)
    assert created["price"] == {"amount": expected or price, "currency": currency}
    assert created["isFree"] is False
    too_precise = {"JPY": "0.1", "USD": "0.001", "BHD": "0.0001"}[currency]
    assert instructor.user_errors("updateCourse", courseId=created["id"], price=too_precise) == [
        ("OUT_OF_RANGE", "price")
    ]


LARGE_PRICES = ["9" * 18, "1" + "0" * 18, "9" * 40, "-" + "9" * 40, "9" * 5_000]
PRECISE_PRICES = ["0." + "1" * 40, "1." + "0" * 30 + "1"]


@pytest.mark.sqlite_only
@pytest.mark.parametrize("price", [*LARGE_PRICES, *PRECISE_PRICES])
def test_prices_of_any_length_are_out_of_range(
    client: Client, instructor: CourseClient, make: Factories, price: str
) -> None:
    out_of_range = [("OUT_OF_RANGE", "price")]
    course = make.course()
    author = instructor_client(client, make, course)
    assert instructor.user_errors("createCourse", **NEW, price=price) == out_of_range
    assert author.user_errors("updateCourse", courseId=course.global_id, price=price) == out_of_range
    literals = [f'"{price}"'] if "." in price else [f'"{price}"', price]
    for literal in literals:
        input = f'{{courseId: "{course.global_id}", price: {literal}}}'
        document = f"mutation {{ updateCourse(input: {input}) {{ errors {{ code path }} }} }}"
        errors = client.execute(document, as_=author.actor)["updateCourse"]["errors"]
        assert errors == [{"code": "OUT_OF_RANGE", "path": ["input", "price"]}]


@pytest.mark.sqlite_only
@pytest.mark.parametrize("price", [10**18, 2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**40])
def test_integers_of_any_size_are_out_of_range(instructor: CourseClient, price: int) -> None:
    """The JSON parser turns integers beyond 64 bits into floats."""
    assert instructor.user_errors("createCourse", **NEW, price=price) == [("OUT_OF_RANGE", "price")]


def test_update_keeps_omitted_fields_and_clears_nulls(
    client: Client, make: Factories, instructor: CourseClient
) -> None:
    fields = {
        "shortDescription": "Short.",
        "categoryId": global_id("Category", make.category()),
        "thumbnailUrl": "https://example.com/a.jpg",
        "previewVideoUrl": "https://example.com/a.mp4",
    }
    created = instructor.ok("createCourse", **NEW, **fields)
    updated = instructor.ok("updateCourse", courseId=created["id"], price=5, description="")
    changed = {"price": {"amount": "5.00", "currency": "USD"}, "isFree": False, "description": "", "version": 2}
    problems = [*created["publishProblems"], {"code": "NO_DESCRIPTION"}]
    problems.sort(key=lambda problem: problem["code"] != "NO_DESCRIPTION")
    assert updated == {**created, **changed, "updatedAt": updated["updatedAt"], "publishProblems": problems}
    cleared = instructor.ok("updateCourse", courseId=created["id"], **dict.fromkeys(fields))
    assert [cleared[name] for name in ("shortDescription", "category", "thumbnailUrl", "previewVideoUrl")] == [
        None
    ] * 4
    assert (cleared["title"], cleared["version"]) == (NEW["title"], 3)


def test_required_fields_cannot_be_set_to_null(admin: CourseClient, make: Factories) -> None:
    course = make.course()
    required = ["title", "description", "price", "difficulty", "language", "allowQa", "allowNotes", "isFeatured"]
    errors = admin.user_errors("updateCourse", courseId=course.global_id, **dict.fromkeys(required))
    assert Counter(errors) == Counter(("REQUIRED", name) for name in required)


@pytest.mark.parametrize("id", INVALID_IDS)
def test_unknown_ids_are_not_found(client: Client, make: Factories, instructor: CourseClient, id: str) -> None:
    for mutation in COURSE_MUTATIONS:
        assert instructor.user_errors(mutation, courseId=id) == [("NOT_FOUND", "courseId")]
    assert instructor.user_errors("createCourse", title="", description="", categoryId=id) == [
        ("NOT_FOUND", "categoryId")
    ]
    course = make.course()
    errors = instructor_client(client, make, course).user_errors(
        "updateCourse", courseId=course.global_id, title="", categoryId=id
    )
    assert errors == [("NOT_FOUND", "categoryId")]


def test_update_without_changes_keeps_the_version(client: Client, make: Factories) -> None:
    course = make.course("Same")
    author = instructor_client(client, make, course)
    before = author.ok("updateCourse", courseId=course.global_id)
    same = {"title": " Same", "price": 0, "difficulty": "BEGINNER", "categoryId": None, "language": "EN"}
    assert author.ok("updateCourse", courseId=course.global_id, **same) == before
    assert before["version"] == 1


def test_stale_version_is_rejected(client: Client, make: Factories) -> None:
    course = make.course("Old", version=7)
    author = instructor_client(client, make, course)
    for stale in (6, 8, -1):
        errors = author.user_errors("updateCourse", courseId=course.global_id, expectedVersion=stale, title="New")
        assert errors == [("STALE_VERSION", "expectedVersion")]
    invalid = {"expectedVersion": 6, "title": "", "price": "-1"}
    errors = [("REQUIRED", "title"), ("OUT_OF_RANGE", "price")]  # validation comes before the version
    assert author.user_errors("updateCourse", courseId=course.global_id, **invalid) == errors
    assert author.ok("updateCourse", courseId=course.global_id, expectedVersion=7, title="New")["version"] == 8
    assert author.ok("updateCourse", courseId=course.global_id, title="Newer")["version"] == 9


def test_slug_follows_title_until_first_publication(
    client: Client, make: Factories, instructor: CourseClient
) -> None:
    slugs = [instructor.ok("createCourse", title=f"Learn Go{end}", description="")["slug"] for end in "!?."]
    assert slugs == ["learn-go", "learn-go-2", "learn-go-3"]
    draft = instructor.ok("createCourse", title="学习", description="")
    assert draft["slug"] == "xue-xi"
    renamed = instructor.ok("updateCourse", courseId=draft["id"], title="Learn go")
    assert renamed["slug"] == "learn-go-4"
    assert instructor.ok("updateCourse", courseId=draft["id"], title="LEARN GO")["slug"] == "learn-go-4"
    assert instructor.ok("updateCourse", courseId=draft["id"], title="Learn C#")["slug"] == "learn-c-sharp"
    assert client.execute('{ course(slug: "learn-go-4") { id } }', as_=instructor.actor)["course"] is None

    course = make.course("Once", slug="once")
    author = instructor_client(client, make, course)
    assert author.ok("updateCourse", courseId=course.global_id, title="Twice")["slug"] == "once"
    author.ok("unpublishCourse", courseId=course.global_id)
    assert author.ok("updateCourse", courseId=course.global_id, title="Thrice")["slug"] == "once", "once public"


def test_search_and_lists_reflect_changes_immediately(client: Client, make: Factories, service: Service) -> None:
    course = make.course("Gardening for All", sections=0)
    author = instructor_client(client, make, course)
    assert titles(client, None, "garden", "PUBLISHED") == ["Gardening for All"]
    author.ok(
        "updateCourse", courseId=course.global_id, title="Cooking for All", shortDescription="With C++ and herbs"
    )
    assert titles(client, None, "garden", "PUBLISHED") == []
    for words in ("cook", "c++", "herbs all"):
        assert titles(client, None, words, "PUBLISHED") == ["Cooking for All"]
    author.ok("updateCourse", courseId=course.global_id, shortDescription=None, description="Nothing else")
    assert titles(client, None, "herbs", "PUBLISHED") == []
    author.ok("unpublishCourse", courseId=course.global_id)
    assert titles(client, None, "cooking", "PUBLISHED") == []
    assert titles(client, author.actor, "cooking") == titles(client, author.actor) == ["Cooking for All"]
    assert service.database.read_sync(counters.find_counter_drift) == []
    author.ok("deleteCourse", courseId=course.global_id)
    assert titles(client, author.actor) == titles(client, author.actor, "cooking") == []
    assert count(service, CourseTerm) == 0


def test_price_change_writes_no_search_terms(client: Client, make: Factories, statements: StatementRecorder) -> None:
    course = make.course()
    author = instructor_client(client, make, course)
    with statements:
        author.ok("updateCourse", courseId=course.global_id, price=10)
    assert not any("course_terms" in text for text in statements.texts)


def test_only_super_admins_can_feature_courses(client: Client, make: Factories, admin: CourseClient) -> None:
    course = make.course()
    author = instructor_client(client, make, course)
    for value in (True, False, None):
        assert author.error_codes("updateCourse", courseId=course.global_id, title="New", isFeatured=value) == [
            "FORBIDDEN"
        ]
    assert author.ok("updateCourse", courseId=course.global_id)["version"] == 1
    assert admin.ok("updateCourse", courseId=course.global_id, isFeatured=True)["isFeatured"] is True
    featured = client.execute("{ courses(filter: {isFeatured: true}) { totalCount } }")
    assert featured == {"courses": {"totalCount": 1}}


VISIBLE_TO = {
    CourseStatus.DRAFT: {},
    CourseStatus.PUBLISHED: {"other_instructor", "enrolled"},
    CourseStatus.ARCHIVED: {"enrolled"},
}


@pytest.mark.parametrize("status", list(CourseStatus))
@pytest.mark.parametrize("mutation", COURSE_MUTATIONS)
def test_other_users_cannot_change_a_course(
    client: Client, make: Factories, service: Service, mutation: str, status: CourseStatus
) -> None:
    course = make.course("Mine", status=status)
    other_instructor, enrolled = (make.user(Role.INSTRUCTOR) for _ in range(2))
    make.enrollment(enrolled, course)
    before = service.database.read_sync(lambda session: vars(session.get_one(Course, course.row.id)))
    fields = (
        {"title": "Theirs", "categoryId": global_id("Category", make.category())}
        if mutation == "updateCourse"
        else {}
    )
    for name, user in (("other_instructor", other_instructor), ("enrolled", enrolled)):
        other = CourseClient(client, make.actor(user))
        if name in VISIBLE_TO[status]:
            assert other.error_codes(mutation, courseId=course.global_id, **fields) == ["FORBIDDEN"]
        else:
            errors = other.user_errors(mutation, courseId=course.global_id, **fields)
            assert errors == other.user_errors(mutation, courseId=UNKNOWN_ID, **fields) == [("NOT_FOUND", "courseId")]
    learner = CourseClient(client, make.actor(make.user()))
    assert (
        learner.error_codes(mutation, courseId=course.global_id)
        == learner.error_codes(mutation, courseId="x")
        == ["FORBIDDEN"]
    )
    assert CourseClient(client, ANONYMOUS).error_codes(mutation, courseId=course.global_id) == ["UNAUTHENTICATED"]
    after = service.database.read_sync(lambda session: vars(session.get_one(Course, course.row.id)))
    assert {**after, "_sa_instance_state": None} == {**before, "_sa_instance_state": None}


def test_learners_and_anonymous_viewers_cannot_create_courses(
    client: Client, make: Factories, service: Service
) -> None:
    assert CourseClient(client, make.actor(make.user())).error_codes("createCourse", **NEW) == ["FORBIDDEN"]
    assert CourseClient(client, ANONYMOUS).error_codes("createCourse", **NEW) == ["UNAUTHENTICATED"]
    assert count(service, Course) == 0


def test_former_instructor_cannot_change_the_course(client: Client, make: Factories) -> None:
    course = make.course(instructor=make.user(Role.LEARNER), status=CourseStatus.DRAFT)
    author = instructor_client(client, make, course)
    for mutation in COURSE_MUTATIONS:
        assert author.error_codes(mutation, courseId=course.global_id) == ["FORBIDDEN"]


def test_super_admin_can_edit_and_delete_any_course(make: Factories, admin: CourseClient) -> None:
    course = make.course(status=CourseStatus.DRAFT)
    updated = admin.ok("updateCourse", courseId=course.global_id, title="Better")
    assert updated["instructor"] == {"id": global_id("User", course.instructor)}
    assert admin.ok("deleteCourse", courseId=course.global_id) == course.global_id


def test_concurrent_updates_of_one_version_succeed_once(client: Client, make: Factories, service: Service) -> None:
    course = make.course("Start")
    author = instructor_client(client, make, course)
    with service_racers(service, 3) as clients:
        for version in rounds_for_database(service):
            responses = clients.race(
                *(
                    author.race_request(
                        "updateCourse",
                        courseId=course.global_id,
                        expectedVersion=version + 1,
                        shortDescription=f"By {number} {version}",
                    )
                    for number in range(3)
                )
            )
            assert Counter(response.code for response in responses) == {None: 1, "STALE_VERSION": 2}
    assert service.database.read_sync(counters.find_counter_drift) == []


@pytest.mark.slow
def test_concurrent_creations_get_unique_slugs(
    client: Client, make: Factories, service: Service, instructor: CourseClient
) -> None:
    with service_racers(service, 6) as clients:
        for _ in rounds_for_database(service)[:25]:
            responses = clients.race(
                *[instructor.race_request("createCourse", title="One Name", description="Words.")] * 6
            )
            assert {response.code for response in responses} == {None}
    slugs = service.database.read_sync(lambda session: list(session.scalars(select(Course.slug))))
    numbers = sorted(int(slug.removeprefix("one-name").removeprefix("-") or 1) for slug in slugs)
    assert numbers == list(range(1, len(slugs) + 1))
    assert service.database.read_sync(counters.find_counter_drift) == []


def test_deleting_a_draft_deletes_sections_and_lectures(client: Client, make: Factories, service: Service) -> None:
    other_course = make.course(sections=1)
    course = make.course(sections=3, lectures=2, status=CourseStatus.DRAFT)
    author = instructor_client(client, make, course)
    assert author.ok("deleteCourse", courseId=course.global_id) == course.global_id
    assert [count(service, table) for table in (Course, Section, Lecture)] == [1, 1, 2]
    ids = [
        course.global_id,
        global_id("Section", course.sections[0]),
        global_id("Lecture", course.lectures[0]),
        other_course.global_id,
    ]
    nodes = client.execute("query N($ids: [ID!]!) { nodes(ids: $ids) { id } }", as_=author.actor, ids=ids)["nodes"]
    assert nodes == [None, None, None, {"id": other_course.global_id}]
    assert author.user_errors("deleteCourse", courseId=course.global_id) == [("NOT_FOUND", "courseId")]
