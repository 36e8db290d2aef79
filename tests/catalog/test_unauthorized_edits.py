"""Whoever is no course staff gets nowhere with lectures: by id, by node, by moving something of theirs in."""

from typing import Any

import pytest

from lms_graphql.catalog.models import CourseStatus
from lms_graphql.core import global_ids
from lms_graphql.core.actor import ANONYMOUS, Role
from tests.catalog.curriculum_client import CurriculumClient
from tests.catalog.test_section_mutations import codes
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client

NOT_THERE = {kind: global_ids.encode(kind, 10**6) for kind in ("Section", "Lecture", "Quiz")}


def steps(section: str, lectures: list[str]) -> dict[str, dict[str, Any]]:
    return {
        "createLecture": {"sectionId": section, "title": "Theirs", "type": "TEXT"},
        "updateLecture": {"lectureId": lectures[0], "title": "Theirs"},
        "moveLecture": {"lectureId": lectures[0], "sectionId": section, "position": 1},
        "reorderLectures": {"sectionId": section, "lectureIds": lectures[::-1]},
        "deleteLecture": {"lectureId": lectures[0]},
    }


def steps_on(course: CourseTree) -> dict[str, dict[str, Any]]:
    return steps(
        global_id("Section", course.sections[0]), [global_id("Lecture", lecture) for lecture in course.lectures[:2]]
    )


@pytest.mark.parametrize("status", list(CourseStatus))
def test_nobody_else_changes_the_lectures_of_a_course(client: Client, make: Factories, status: CourseStatus) -> None:
    course = make.course(sections=2, status=status)
    rival, learner = make.user(Role.INSTRUCTOR), make.user()
    make.enrollment(learner, course)
    owner = CurriculumClient(client, make.actor(course.instructor))
    before = owner.sees(course.global_id)
    rivals, learners, anyone = (
        CurriculumClient(client, actor) for actor in (make.actor(rival), make.actor(learner), ANONYMOUS)
    )
    not_there = steps(NOT_THERE["Section"], [NOT_THERE["Lecture"]] * 2)
    for mutation, input in steps_on(course).items():
        assert codes(anyone.graphql(mutation, **input)) == ["UNAUTHENTICATED"]
        assert codes(learners.graphql(mutation, **input)) == ["FORBIDDEN"]
        answer = rivals.graphql(mutation, **input)
        if status is CourseStatus.PUBLISHED:
            assert codes(answer) == ["FORBIDDEN"]
        else:
            assert answer == rivals.graphql(mutation, **not_there[mutation])
            assert [error["code"] for error in answer["data"][mutation]["errors"]] == ["NOT_FOUND"]
    assert owner.sees(course.global_id) == before


def test_an_instructor_who_is_enrolled_in_an_archived_course_sees_it_and_changes_nothing(
    client: Client, make: Factories
) -> None:
    course, rival = make.course(status=CourseStatus.ARCHIVED), make.user(Role.INSTRUCTOR)
    make.enrollment(rival, course)
    author = CurriculumClient(client, make.actor(rival))
    for mutation, input in steps_on(course).items():
        assert codes(author.graphql(mutation, **input)) == ["FORBIDDEN"]


@pytest.mark.parametrize("status", list(CourseStatus))
def test_nothing_is_moved_into_anothers_course_or_out_of_it(
    client: Client, make: Factories, status: CourseStatus
) -> None:
    course, rival = make.course(status=status), make.user(Role.INSTRUCTOR)
    own = make.course(instructor=rival, status=CourseStatus.DRAFT)
    quiz = global_id("Quiz", make.quiz(course))
    author, owner = (
        CurriculumClient(client, make.actor(rival)),
        CurriculumClient(client, make.actor(course.instructor)),
    )
    before = owner.sees(course.global_id), author.sees(own.global_id)
    (theirs, their_lecture), (mine, my_lecture) = (
        (global_id("Section", each.sections[0]), global_id("Lecture", each.lectures[0])) for each in (course, own)
    )
    is_seen = status is CourseStatus.PUBLISHED

    into = {"lectureId": my_lecture, "sectionId": theirs, "position": 0}
    assert author.user_errors("moveLecture", **into) == [("INVALID" if is_seen else "NOT_FOUND", "sectionId")]
    out = {"lectureId": their_lecture, "sectionId": mine, "position": 0}
    if is_seen:
        assert codes(author.graphql("moveLecture", **out)) == ["FORBIDDEN"]
    else:
        assert author.user_errors("moveLecture", **out) == [("NOT_FOUND", "lectureId")]
    named = {"sectionId": mine, "lectureIds": [my_lecture, their_lecture]}
    assert author.user_errors("reorderLectures", **named) == [("INVALID", "lectureIds")]
    sections = {"courseId": own.global_id, "sectionIds": [theirs]}
    assert author.user_errors("reorderSections", **sections) == [("INVALID", "sectionIds")]
    carrying = {"sectionId": mine, "title": "Test", "type": "QUIZ", "quizId": quiz}
    assert author.user_errors("createLecture", **carrying) == [("NOT_FOUND", "quizId")]
    assert (owner.sees(course.global_id), author.sees(own.global_id)) == before


@pytest.mark.parametrize("mutation", ["updateCourse", "moveLecture", "createLecture", "updateLecture"])
def test_a_second_id_that_is_not_there_comes_before_what_is_not_theirs_to_change(
    client: Client, make: Factories, mutation: str
) -> None:
    course, rival = make.course(sections=2), make.user(Role.INSTRUCTOR)
    hidden, published = make.quiz(course), make.quiz(course, is_published=True)
    draft = make.course(status=CourseStatus.DRAFT)
    author = CurriculumClient(client, make.actor(rival))
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
            [global_id("Section", draft.sections[0]), NOT_THERE["Section"]],
            global_id("Section", course.sections[1]),
        ),
        "createLecture": (
            new,
            "quizId",
            [global_id("Quiz", hidden), NOT_THERE["Quiz"]],
            global_id("Quiz", published),
        ),
        "updateLecture": (
            {"lectureId": lecture},
            "quizId",
            [global_id("Quiz", hidden)],
            global_id("Quiz", published),
        ),
    }
    first, second, not_there, there = cases[mutation]
    make.enrollment(rival, course)
    for id in (*not_there, "nonsense", ""):
        assert author.user_errors(mutation, **first, **{second: id}) == [("NOT_FOUND", second)]
    assert codes(author.graphql(mutation, **first, **{second: there})) == ["FORBIDDEN"]


def test_a_super_admin_changes_the_lectures_of_any_course(client: Client, make: Factories) -> None:
    course = make.course(status=CourseStatus.DRAFT)
    admin = CurriculumClient(client, make.actor(make.user(Role.SUPER_ADMIN)))
    for mutation, input in steps_on(course).items():
        named = [lecture["id"] for lecture in admin.sees(course.global_id)["sections"][0]["lectures"]][::-1]
        admin.ok(mutation, **({**input, "lectureIds": named} if mutation == "reorderLectures" else input))
    assert admin.sees(course.global_id)["lectureCount"] == 2
