"""Courses, as their instructors write them."""

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import select

from lms_graphql.catalog import counters
from lms_graphql.catalog.models import Course, CourseStatus, CourseTerm, Lecture, Section
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from tests.accounts.test_users import count
from tests.catalog.course_client import NO_IDS, OF_ONE_COURSE, CourseClient, racing, rounds
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client, Service, Statements

FOUND = """query F($search: String, $status: CourseStatus) {
  courses(search: $search, filter: {status: $status}) { totalCount nodes { title } }
}"""
NEW: dict[str, Any] = {"title": "Python from Zero", "description": "Snakes and programs."}


@pytest.fixture
def teacher(client: Client, make: Factories) -> CourseClient:
    return CourseClient(client, make.actor(make.user(Role.INSTRUCTOR)))


@pytest.fixture
def admin(client: Client, make: Factories) -> CourseClient:
    return CourseClient(client, make.actor(make.user(Role.SUPER_ADMIN)))


def author_of(client: Client, make: Factories, course: CourseTree) -> CourseClient:
    return CourseClient(client, make.actor(course.instructor))


def found(client: Client, as_: Actor | None, search: str | None = None, status: str = "DRAFT") -> list[str]:
    answer = client.execute(FOUND, as_=as_, search=search, status=status)["courses"]
    assert answer["totalCount"] == len(answer["nodes"])
    return [node["title"] for node in answer["nodes"]]


def test_a_new_course_is_a_draft_of_whoever_makes_it(client: Client, teacher: CourseClient) -> None:
    made = teacher.ok("createCourse", **NEW)
    assert {name: made[name] for name in ("title", "slug", "description", "status", "version", "publishedAt")} == {
        "title": "Python from Zero",
        "slug": "python-from-zero",
        "description": "Snakes and programs.",
        "status": "DRAFT",
        "version": 1,
        "publishedAt": None,
    }
    assert (made["price"], made["isFree"], made["isFeatured"]) == ({"amount": "0.00", "currency": "USD"}, True, False)
    assert (made["difficulty"], made["language"], made["allowQa"], made["allowNotes"]) == (
        "BEGINNER",
        "en",
        True,
        True,
    )
    assert client.execute("{ me { id } }", as_=teacher.actor)["me"] == made["instructor"]
    assert found(client, teacher.actor) == found(client, teacher.actor, "snakes pyth") == ["Python from Zero"]
    assert found(client, None, "snakes") == found(client, None, "snakes", "PUBLISHED") == []


def test_everything_that_may_be_said_of_a_course_is_kept(make: Factories, teacher: CourseClient) -> None:
    said = {
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
    made = teacher.ok("createCourse", price="1.234", **said)
    assert made["price"] == {"amount": "1.234", "currency": "BHD"}
    assert (made["title"], made["slug"], made["language"]) == ("Über Käse", "uber-kase", "de-CH")
    assert made["category"] == {"id": said["categoryId"]}
    same = (
        "description",
        "shortDescription",
        "difficulty",
        "thumbnailUrl",
        "previewVideoUrl",
        "allowQa",
        "allowNotes",
    )
    assert {name: made[name] for name in same} == {name: said[name] for name in same}


def test_null_in_a_new_course_is_as_if_it_was_left_out(teacher: CourseClient) -> None:
    unsaid = ["shortDescription", "categoryId", "price", "currency", "difficulty", "language", "thumbnailUrl"]
    made = teacher.ok("createCourse", **NEW, **dict.fromkeys([*unsaid, "previewVideoUrl", "allowQa", "allowNotes"]))
    assert (made["price"]["currency"], made["difficulty"], made["language"]) == ("USD", "BEGINNER", "en")
    assert made["allowQa"] is made["allowNotes"] is True


FAULTS: list[tuple[str, Any, str]] = [
    ("title", " ", "REQUIRED"),
    ("title", "\u200b \u202e\ufeff", "REQUIRED"),
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


@pytest.mark.parametrize(("field", "value", "code"), FAULTS)
def test_a_fault_is_told_at_its_place_and_nothing_changes(
    client: Client, make: Factories, service: Service, field: str, value: Any, code: str
) -> None:
    course = make.course("Old title", status=CourseStatus.DRAFT)
    author = author_of(client, make, course)
    assert author.user_errors("createCourse", **{**NEW, field: value}) == [(code, field)]
    good = {"title": "Good"} if field != "title" else {"description": "Good"}
    assert author.user_errors("updateCourse", courseId=course.global_id, **good, **{field: value}) == [(code, field)]
    assert count(service, Course) == 1
    shown = author.ok("updateCourse", courseId=course.global_id)
    assert (shown["title"], shown["description"], shown["version"]) == ("Old title", "What it is about.", 1)


def test_all_faults_come_at_once(client: Client, make: Factories, teacher: CourseClient) -> None:
    bad = {"title": "", "language": "?", "price": "-1", "thumbnailUrl": "x"}
    faults = {("REQUIRED", "title"), ("INVALID", "language"), ("OUT_OF_RANGE", "price"), ("INVALID", "thumbnailUrl")}
    new = teacher.user_errors("createCourse", description="", currency="usd", **bad)
    assert (len(new), set(new)) == (5, faults | {("INVALID", "currency")})
    course = make.course()
    update = author_of(client, make, course).user_errors("updateCourse", courseId=course.global_id, **bad)
    assert (len(update), set(update)) == (4, faults)


@pytest.mark.parametrize("code", ["", "usd", "XXX", "US", "USDT"])
def test_a_currency_is_one_of_iso_4217(teacher: CourseClient, code: str) -> None:
    assert teacher.user_errors("createCourse", **NEW, currency=code) == [("INVALID", "currency")]


@pytest.mark.parametrize(
    ("currency", "price", "shown"),
    [("JPY", 1500, "1500"), ("USD", "19.9", "19.90"), ("BHD", "0.001", "0.001"), ("USD", "999999999.99", None)],
)
def test_a_price_has_the_decimals_of_its_currency(
    teacher: CourseClient, currency: str, price: Any, shown: str | None
) -> None:
    made = teacher.ok("createCourse", **NEW, currency=currency, price=price)
    assert made["price"] == {"amount": shown or price, "currency": currency}
    assert made["isFree"] is False
    finer = {"JPY": "0.1", "USD": "0.001", "BHD": "0.0001"}[currency]
    assert teacher.user_errors("updateCourse", courseId=made["id"], price=finer) == [("OUT_OF_RANGE", "price")]


def test_what_is_left_out_stays_and_null_empties_what_can_be_empty(
    client: Client, make: Factories, teacher: CourseClient
) -> None:
    said = {
        "shortDescription": "Short.",
        "categoryId": global_id("Category", make.category()),
        "thumbnailUrl": "https://example.com/a.jpg",
        "previewVideoUrl": "https://example.com/a.mp4",
    }
    made = teacher.ok("createCourse", **NEW, **said)
    priced = teacher.ok("updateCourse", courseId=made["id"], price=5, description="")
    changed = {"price": {"amount": "5.00", "currency": "USD"}, "isFree": False, "description": "", "version": 2}
    problems = [*made["publishProblems"], {"code": "NO_DESCRIPTION"}]
    problems.sort(key=lambda problem: problem["code"] != "NO_DESCRIPTION")
    assert priced == {**made, **changed, "updatedAt": priced["updatedAt"], "publishProblems": problems}
    emptied = teacher.ok("updateCourse", courseId=made["id"], **dict.fromkeys(said))
    assert [emptied[name] for name in ("shortDescription", "category", "thumbnailUrl", "previewVideoUrl")] == [
        None
    ] * 4
    assert (emptied["title"], emptied["version"]) == (NEW["title"], 3)


def test_null_for_what_cannot_be_empty_is_required(admin: CourseClient, make: Factories) -> None:
    course = make.course()
    needed = ["title", "description", "price", "difficulty", "language", "allowQa", "allowNotes", "isFeatured"]
    faults = admin.user_errors("updateCourse", courseId=course.global_id, **dict.fromkeys(needed))
    assert Counter(faults) == Counter(("REQUIRED", name) for name in needed)


@pytest.mark.parametrize("id", NO_IDS)
def test_what_is_not_there_is_not_found_at_its_path(
    client: Client, make: Factories, teacher: CourseClient, id: str
) -> None:
    for mutation in OF_ONE_COURSE:
        assert teacher.user_errors(mutation, courseId=id) == [("NOT_FOUND", "courseId")]
    assert teacher.user_errors("createCourse", title="", description="", categoryId=id) == [
        ("NOT_FOUND", "categoryId")
    ]
    course = make.course()
    refused = author_of(client, make, course).user_errors(
        "updateCourse", courseId=course.global_id, title="", categoryId=id
    )
    assert refused == [("NOT_FOUND", "categoryId")]


def test_an_update_that_changes_nothing_is_no_new_version(client: Client, make: Factories) -> None:
    course = make.course("Same")
    author = author_of(client, make, course)
    before = author.ok("updateCourse", courseId=course.global_id)
    same = {"title": " Same", "price": 0, "difficulty": "BEGINNER", "categoryId": None, "language": "EN"}
    assert author.ok("updateCourse", courseId=course.global_id, **same) == before
    assert before["version"] == 1


def test_a_stale_version_changes_nothing(client: Client, make: Factories) -> None:
    course = make.course("Old", version=7)
    author = author_of(client, make, course)
    for stale in (6, 8, -1):
        refused = author.user_errors("updateCourse", courseId=course.global_id, expectedVersion=stale, title="New")
        assert refused == [("STALE_VERSION", "expectedVersion")]
    wrong = {"expectedVersion": 6, "title": "", "price": "-1"}
    faults = [("REQUIRED", "title"), ("OUT_OF_RANGE", "price")]  # of the input: first, and together
    assert author.user_errors("updateCourse", courseId=course.global_id, **wrong) == faults
    assert author.ok("updateCourse", courseId=course.global_id, expectedVersion=7, title="New")["version"] == 8
    assert author.ok("updateCourse", courseId=course.global_id, title="Newer")["version"] == 9


def test_a_slug_follows_the_title_until_the_first_publication(
    client: Client, make: Factories, teacher: CourseClient
) -> None:
    slugs = [teacher.ok("createCourse", title=f"Learn Go{mark}", description="")["slug"] for mark in "!?."]
    assert slugs == ["learn-go", "learn-go-2", "learn-go-3"]
    draft = teacher.ok("createCourse", title="学习", description="")
    assert draft["slug"] == "course"
    renamed = teacher.ok("updateCourse", courseId=draft["id"], title="Learn go")
    assert renamed["slug"] == "learn-go-4"
    assert teacher.ok("updateCourse", courseId=draft["id"], title="LEARN GO")["slug"] == "learn-go-4"
    assert teacher.ok("updateCourse", courseId=draft["id"], title="Learn C#")["slug"] == "learn-c-sharp"
    assert client.execute('{ course(slug: "learn-go-4") { id } }', as_=teacher.actor)["course"] is None

    course = make.course("Once", slug="once")
    author = author_of(client, make, course)
    assert author.ok("updateCourse", courseId=course.global_id, title="Twice")["slug"] == "once"
    author.ok("unpublishCourse", courseId=course.global_id)
    assert author.ok("updateCourse", courseId=course.global_id, title="Thrice")["slug"] == "once", "it was published"


def test_search_and_lists_see_each_change_at_once(client: Client, make: Factories, service: Service) -> None:
    course = make.course("Gardening for All", sections=0)
    author = author_of(client, make, course)
    assert found(client, None, "garden", "PUBLISHED") == ["Gardening for All"]
    author.ok(
        "updateCourse", courseId=course.global_id, title="Cooking for All", shortDescription="With C++ and herbs"
    )
    assert found(client, None, "garden", "PUBLISHED") == []
    for words in ("cook", "c++", "herbs all"):
        assert found(client, None, words, "PUBLISHED") == ["Cooking for All"]
    author.ok("updateCourse", courseId=course.global_id, shortDescription=None, description="")
    assert found(client, None, "herbs", "PUBLISHED") == []
    author.ok("unpublishCourse", courseId=course.global_id)
    assert found(client, None, "cooking", "PUBLISHED") == []
    assert found(client, author.actor, "cooking") == found(client, author.actor) == ["Cooking for All"]
    assert service.database.read_sync(counters.find_counter_drift) == []
    author.ok("deleteCourse", courseId=course.global_id)
    assert found(client, author.actor) == found(client, author.actor, "cooking") == []
    assert count(service, CourseTerm) == 0


def test_terms_are_written_only_where_texts_have_changed(
    client: Client, make: Factories, statements: Statements
) -> None:
    course = make.course()
    author = author_of(client, make, course)
    with statements:
        author.ok("updateCourse", courseId=course.global_id, price=10)
    assert not any("course_terms" in text for text in statements.texts)


def test_only_super_admins_say_what_the_platform_recommends(
    client: Client, make: Factories, admin: CourseClient
) -> None:
    course = make.course()
    author = author_of(client, make, course)
    for value in (True, False, None):
        assert author.error_codes("updateCourse", courseId=course.global_id, title="New", isFeatured=value) == [
            "FORBIDDEN"
        ]
    assert author.ok("updateCourse", courseId=course.global_id)["version"] == 1
    assert admin.ok("updateCourse", courseId=course.global_id, isFeatured=True)["isFeatured"] is True
    featured = client.execute("{ courses(filter: {isFeatured: true}) { totalCount } }")
    assert featured == {"courses": {"totalCount": 1}}


SEEN = {
    CourseStatus.DRAFT: {},
    CourseStatus.PUBLISHED: {"rival", "enrolled"},
    CourseStatus.ARCHIVED: {"enrolled"},
}


@pytest.mark.parametrize("status", list(CourseStatus))
@pytest.mark.parametrize("mutation", OF_ONE_COURSE)
def test_others_get_nowhere(
    client: Client, make: Factories, service: Service, mutation: str, status: CourseStatus
) -> None:
    course = make.course("Mine", status=status)
    rival, enrolled = (make.user(Role.INSTRUCTOR) for _ in range(2))
    make.enrollment(enrolled, course)
    before = service.database.read_sync(lambda session: vars(session.get_one(Course, course.row.id)))
    said = (
        {"title": "Theirs", "categoryId": global_id("Category", make.category())}
        if mutation == "updateCourse"
        else {}
    )
    for name, user in (("rival", rival), ("enrolled", enrolled)):
        writer = CourseClient(client, make.actor(user))
        if name in SEEN[status]:
            assert writer.error_codes(mutation, courseId=course.global_id, **said) == ["FORBIDDEN"]
        else:
            there = writer.user_errors(mutation, courseId=course.global_id, **said)
            assert there == writer.user_errors(mutation, courseId=NO_IDS[2], **said) == [("NOT_FOUND", "courseId")]
    learner = CourseClient(client, make.actor(make.user()))
    assert (
        learner.error_codes(mutation, courseId=course.global_id)
        == learner.error_codes(mutation, courseId="x")
        == ["FORBIDDEN"]
    )
    assert CourseClient(client, ANONYMOUS).error_codes(mutation, courseId=course.global_id) == ["UNAUTHENTICATED"]
    after = service.database.read_sync(lambda session: vars(session.get_one(Course, course.row.id)))
    assert {**after, "_sa_instance_state": None} == {**before, "_sa_instance_state": None}


def test_learners_and_strangers_begin_no_course(client: Client, make: Factories, service: Service) -> None:
    assert CourseClient(client, make.actor(make.user())).error_codes("createCourse", **NEW) == ["FORBIDDEN"]
    assert CourseClient(client, ANONYMOUS).error_codes("createCourse", **NEW) == ["UNAUTHENTICATED"]
    assert count(service, Course) == 0


def test_whoever_teaches_no_more_writes_no_more(client: Client, make: Factories) -> None:
    course = make.course(instructor=make.user(Role.LEARNER), status=CourseStatus.DRAFT)
    author = author_of(client, make, course)
    for mutation in OF_ONE_COURSE:
        assert author.error_codes(mutation, courseId=course.global_id) == ["FORBIDDEN"]


def test_super_admins_write_any_course_and_its_instructor_stays(make: Factories, admin: CourseClient) -> None:
    course = make.course(status=CourseStatus.DRAFT)
    shown = admin.ok("updateCourse", courseId=course.global_id, title="Better")
    assert shown["instructor"] == {"id": global_id("User", course.instructor)}
    assert admin.ok("deleteCourse", courseId=course.global_id) == course.global_id


def test_of_two_updates_of_one_version_one_counts(client: Client, make: Factories, service: Service) -> None:
    course = make.course("Start")
    author = author_of(client, make, course)
    with racing(service, 3) as writers:
        for version in rounds(service, 300):
            answers = writers.race(
                *(
                    author.race_request(
                        "updateCourse",
                        courseId=course.global_id,
                        expectedVersion=version + 1,
                        shortDescription=f"By {who} {version}",
                    )
                    for who in range(3)
                )
            )
            assert Counter(answer.code for answer in answers) == {None: 1, "STALE_VERSION": 2}
    assert service.database.read_sync(counters.find_counter_drift) == []


@pytest.mark.slow
def test_courses_begun_at_once_have_slugs_of_their_own(
    client: Client, make: Factories, service: Service, teacher: CourseClient
) -> None:
    with racing(service, 6) as writers:
        for _ in rounds(service)[:25]:
            answers = writers.race(
                *[teacher.race_request("createCourse", title="One Name", description="Words.")] * 6
            )
            assert {answer.code for answer in answers} == {None}
    slugs = service.database.read_sync(lambda session: list(session.scalars(select(Course.slug))))
    numbers = sorted(int(slug.removeprefix("one-name").removeprefix("-") or 1) for slug in slugs)
    assert numbers == list(range(1, len(slugs) + 1))
    assert service.database.read_sync(counters.find_counter_drift) == []


def test_a_deleted_draft_takes_its_sections_and_lectures_along(
    client: Client, make: Factories, service: Service
) -> None:
    other = make.course(sections=1)
    course = make.course(sections=3, lectures=2, status=CourseStatus.DRAFT)
    author = author_of(client, make, course)
    assert author.ok("deleteCourse", courseId=course.global_id) == course.global_id
    assert [count(service, table) for table in (Course, Section, Lecture)] == [1, 1, 2]
    ids = [
        course.global_id,
        global_id("Section", course.sections[0]),
        global_id("Lecture", course.lectures[0]),
        other.global_id,
    ]
    nodes = client.execute("query N($ids: [ID!]!) { nodes(ids: $ids) { id } }", as_=author.actor, ids=ids)["nodes"]
    assert nodes == [None, None, None, {"id": other.global_id}]
    assert author.user_errors("deleteCourse", courseId=course.global_id) == [("NOT_FOUND", "courseId")]
