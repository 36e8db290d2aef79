"""Course trees: sections, lectures, content and locks, and how many statements they take."""

import pytest

from lms_graphql.core.actor import Role
from tests.factories import Factories
from tests.live_service import Client, StatementRecorder

TREE = """
query Tree($slug: String!) {
  course(slug: $slug) {
    title
    instructor { fullName }
    sections {
      title position lectureCount durationSeconds
      lectures {
        title type position durationSeconds isPreview
        content { videoUrl body resourceUrl }
        lock { reason message }
      }
    }
  }
}
"""
COURSE_TREES = """
query Many($first: Int!) {
  courses(first: $first) {
    nodes {
      title
      instructor { fullName }
      category { name }
      sections { title lectures { title content { videoUrl } lock { reason } } }
    }
  }
}
"""


def test_course_lists_sections_and_lectures_in_order(client: Client, make: Factories) -> None:
    instructor = make.user(Role.INSTRUCTOR, first_name="Grace", last_name="Hopper")
    course = make.course("Compilers", instructor=instructor, sections=3, lectures=2)
    course_node = client.execute(TREE, slug=course.slug)["course"]
    assert course_node["title"] == "Compilers"
    assert course_node["instructor"] == {"fullName": "Grace Hopper"}
    sections = course_node["sections"]
    assert [section["position"] for section in sections] == [0, 1, 2]
    assert [lecture["position"] for section in sections for lecture in section["lectures"]] == [0, 1] * 3
    assert sections[0]["lectureCount"] == 2
    assert sections[0]["durationSeconds"] == 120
    assert sections[0]["lectures"][0]["type"] == "VIDEO"


def test_anonymous_viewer_gets_preview_content_and_locks(client: Client, make: Factories) -> None:
    course = make.course(lectures=2)
    preview, locked = client.execute(TREE, slug=course.slug)["course"]["sections"][0]["lectures"]
    assert preview["isPreview"] is True
    assert preview["lock"] is None
    assert preview["content"]["videoUrl"] == "https://videos.example.com/secret.mp4"
    assert locked["content"] is None
    assert locked["lock"] == {"reason": "SIGN_IN_REQUIRED", "message": "Log in to open this lecture."}


def test_deleted_lecture_is_missing_from_the_course(client: Client, make: Factories) -> None:
    course = make.course(sections=2, lectures=1)
    deleted = make.lecture(course.sections[1], order_index=5, title="Deleted", deleted_at=course.row.created_at)
    course_node = client.execute(TREE, slug=course.slug)["course"]
    titles = [lecture["title"] for section in course_node["sections"] for lecture in section["lectures"]]
    assert deleted.title not in titles
    assert len(titles) == 2


@pytest.mark.query_budget
def test_course_tree_takes_at_most_six_statements(
    client: Client, make: Factories, statements: StatementRecorder
) -> None:
    course = make.course(category=make.category(), sections=10, lectures=3)
    with statements:
        client.execute(TREE, slug=course.slug)
    assert statements.count <= 6


@pytest.mark.query_budget
def test_course_trees_take_constant_statements(
    client: Client, make: Factories, statements: StatementRecorder
) -> None:
    category = make.category()
    for _ in range(50):
        make.course(category=category, sections=2, lectures=2)
    with statements:
        assert len(client.execute(COURSE_TREES, first=1)["courses"]["nodes"]) == 1
    count_for_one = statements.count
    with statements:
        assert len(client.execute(COURSE_TREES, first=50)["courses"]["nodes"]) == 50
    assert statements.count == count_for_one
    assert count_for_one <= 7


def test_next_and_previous_span_the_whole_course(client: Client, make: Factories) -> None:
    course = make.course(sections=2, lectures=2)
    make.course(sections=1, lectures=1)
    document = """
      query Neighbours($slug: String!) {
        course(slug: $slug) { sections { lectures { id next { id } previous { id } } } }
      }
    """
    sections = client.execute(document, slug=course.slug)["course"]["sections"]
    lectures = [lecture for section in sections for lecture in section["lectures"]]
    ids = [lecture["id"] for lecture in lectures]
    assert [(lecture["next"] or {}).get("id") for lecture in lectures] == [*ids[1:], None]
    assert [(lecture["previous"] or {}).get("id") for lecture in lectures] == [None, *ids[:-1]]


LECTURE_PARENTS = """
query Parents($id: ID!) {
  node(id: $id) {
    __typename id
    ... on Lecture { section { id title course { id } } course { id slug instructor { id username } } }
  }
}
"""


@pytest.mark.query_budget
def test_lecture_links_to_section_course_and_instructor(
    client: Client, make: Factories, statements: StatementRecorder
) -> None:
    course = make.course()
    sections = client.execute(
        "query S($slug: String!) { course(slug: $slug) { sections { id lectures { id } } } }", slug=course.slug
    )
    section = sections["course"]["sections"][0]
    with statements:
        node = client.execute(LECTURE_PARENTS, id=section["lectures"][1]["id"])["node"]
    assert node["__typename"] == "Lecture"
    assert node["section"]["id"] == section["id"]
    assert node["course"]["id"] == node["section"]["course"]["id"] == course.global_id
    assert node["course"]["instructor"]["username"] == course.instructor.username
    assert statements.count <= 4


@pytest.mark.parametrize(("field", "total"), [("lectureCount", 6), ("durationSeconds", 360), ("sectionCount", 3)])
def test_course_totals_are_correct(client: Client, make: Factories, field: str, total: int) -> None:
    course = make.course(sections=3, lectures=2)
    data = client.execute(f"query T($slug: String!) {{ course(slug: $slug) {{ {field} }} }}", slug=course.slug)
    assert data["course"][field] == total
