"""Users who are not course staff cannot change lectures, directly or by moving them between courses."""

from typing import Any

import pytest

from lms_graphql.catalog.models import CourseStatus
from lms_graphql.core import global_ids
from lms_graphql.core.actor import ANONYMOUS, Role
from tests.catalog.curriculum_client import CurriculumClient
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client

UNKNOWN_IDS = {kind: global_ids.encode(kind, 10**6) for kind in ("Section", "Lecture", "Quiz")}


def inputs_for(section: str, lectures: list[str]) -> dict[str, dict[str, Any]]:
    return {
        "createLecture": {"sectionId": section, "title": "Theirs", "type": "TEXT"},
        "updateLecture": {"lectureId": lectures[0], "title": "Theirs"},
        "moveLecture": {"lectureId": lectures[0], "sectionId": section, "position": 1},
        "reorderLectures": {"sectionId": section, "lectureIds": lectures[::-1]},
        "deleteLecture": {"lectureId": lectures[0]},
    }


def inputs_on(course: CourseTree) -> dict[str, dict[str, Any]]:
    return inputs_for(
        global_id("Section", course.sections[0]), [global_id("Lecture", lecture) for lecture in course.lectures[:2]]
    )


@pytest.mark.parametrize("status", list(CourseStatus))
def test_other_users_cannot_change_lectures(client: Client, make: Factories, status: CourseStatus) -> None:
    course = make.course(sections=2, status=status)
    other_instructor, learner = make.user(Role.INSTRUCTOR), make.user()
    make.enrollment(learner, course)
    owner_client = CurriculumClient(client, make.actor(course.instructor))
    before = owner_client.node(course.global_id)
    other_client, learner_client, anonymous_client = (
        CurriculumClient(client, actor) for actor in (make.actor(other_instructor), make.actor(learner), ANONYMOUS)
    )
    unknown = inputs_for(UNKNOWN_IDS["Section"], [UNKNOWN_IDS["Lecture"]] * 2)
    for mutation, input in inputs_on(course).items():
        assert anonymous_client.error_codes(mutation, **input) == ["UNAUTHENTICATED"]
        assert learner_client.error_codes(mutation, **input) == ["FORBIDDEN"]
        if status is CourseStatus.PUBLISHED:
            assert other_client.error_codes(mutation, **input) == ["FORBIDDEN"]
        else:
            body = other_client.graphql(mutation, **input)
            assert body == other_client.graphql(mutation, **unknown[mutation])
            assert [error["code"] for error in body["data"][mutation]["errors"]] == ["NOT_FOUND"]
    assert owner_client.node(course.global_id) == before


def test_enrolled_instructor_cannot_change_an_archived_course(client: Client, make: Factories) -> None:
    course, other_instructor = make.course(status=CourseStatus.ARCHIVED), make.user(Role.INSTRUCTOR)
    make.enrollment(other_instructor, course)
    author = CurriculumClient(client, make.actor(other_instructor))
    for mutation, input in inputs_on(course).items():
        assert author.error_codes(mutation, **input) == ["FORBIDDEN"]


@pytest.mark.parametrize("status", list(CourseStatus))
def test_lectures_cannot_move_between_instructors_courses(
    client: Client, make: Factories, status: CourseStatus
) -> None:
    course, other_instructor = make.course(status=status), make.user(Role.INSTRUCTOR)
    own_course = make.course(instructor=other_instructor, status=CourseStatus.DRAFT)
    quiz = global_id("Quiz", make.quiz(course))
    author, owner_client = (
        CurriculumClient(client, make.actor(other_instructor)),
        CurriculumClient(client, make.actor(course.instructor)),
    )
    before = owner_client.node(course.global_id), author.node(own_course.global_id)
    (foreign_section, foreign_lecture), (own_section, own_lecture) = (
        (global_id("Section", tree.sections[0]), global_id("Lecture", tree.lectures[0]))
        for tree in (course, own_course)
    )
    is_visible = status is CourseStatus.PUBLISHED

    move_in = {"lectureId": own_lecture, "sectionId": foreign_section, "position": 0}
    assert author.user_errors("moveLecture", **move_in) == [("INVALID" if is_visible else "NOT_FOUND", "sectionId")]
    move_out = {"lectureId": foreign_lecture, "sectionId": own_section, "position": 0}
    if is_visible:
        assert author.error_codes("moveLecture", **move_out) == ["FORBIDDEN"]
    else:
        assert author.user_errors("moveLecture", **move_out) == [("NOT_FOUND", "lectureId")]
    lectures = {"sectionId": own_section, "lectureIds": [own_lecture, foreign_lecture]}
    assert author.user_errors("reorderLectures", **lectures) == [("INVALID", "lectureIds")]
    sections = {"courseId": own_course.global_id, "sectionIds": [foreign_section]}
    assert author.user_errors("reorderSections", **sections) == [("INVALID", "sectionIds")]
    with_quiz = {"sectionId": own_section, "title": "Test", "type": "QUIZ", "quizId": quiz}
    assert author.user_errors("createLecture", **with_quiz) == [("NOT_FOUND", "quizId")]
    assert (owner_client.node(course.global_id), author.node(own_course.global_id)) == before


@pytest.mark.parametrize("mutation", ["updateCourse", "moveLecture", "createLecture", "updateLecture"])
def test_unknown_reference_is_reported_before_forbidden(client: Client, make: Factories, mutation: str) -> None:
    course, other_instructor = make.course(sections=2), make.user(Role.INSTRUCTOR)
    hidden, published = make.quiz(course), make.quiz(course, is_published=True)
    draft = make.course(status=CourseStatus.DRAFT)
    author = CurriculumClient(client, make.actor(other_instructor))
    section, lecture = global_id("Section", course.sections[0]), global_id("Lecture", course.lectures[0])
    new = {"sectionId": section, "title": "Test", "type": "QUIZ"}
    cases: dict[str, tuple[dict[str, Any], str, list[str], str]] = {
        "updateCourse": (
            {"courseId": course.global_id},
            "categoryId",
            [section],
            global_id("Category", make.category()),
        ),
        "moveLecture": (
            {"lectureId": lecture, "position": -1},
            "sectionId",
            [global_id("Section", draft.sections[0]), UNKNOWN_IDS["Section"]],
            global_id("Section", course.sections[1]),
        ),
        "createLecture": (
            new,
            "quizId",
            [global_id("Quiz", hidden), UNKNOWN_IDS["Quiz"]],
            global_id("Quiz", published),
        ),
        "updateLecture": (
            {"lectureId": lecture},
            "quizId",
            [global_id("Quiz", hidden)],
            global_id("Quiz", published),
        ),
    }
    input, reference, unknown, visible = cases[mutation]
    make.enrollment(other_instructor, course)
    for id in (*unknown, "nonsense", ""):
        assert author.user_errors(mutation, **input, **{reference: id}) == [("NOT_FOUND", reference)]
    assert author.error_codes(mutation, **input, **{reference: visible}) == ["FORBIDDEN"]


def test_super_admin_can_change_any_lectures(client: Client, make: Factories) -> None:
    course = make.course(status=CourseStatus.DRAFT)
    admin = CurriculumClient(client, make.actor(make.user(Role.SUPER_ADMIN)))
    for mutation, input in inputs_on(course).items():
        if mutation == "reorderLectures":
            lectures = admin.node(course.global_id)["sections"][0]["lectures"]
            input["lectureIds"] = [lecture["id"] for lecture in reversed(lectures)]
        admin.ok(mutation, **input)
    assert admin.node(course.global_id)["lectureCount"] == 2
