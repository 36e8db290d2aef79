"""Whoever is no course staff gets nowhere with lectures: by id, by node, by moving something of theirs in."""

from typing import Any

import pytest

from lms_graphql.catalog.models import CourseStatus
from lms_graphql.core import global_ids
from lms_graphql.core.actor import ANONYMOUS, Role
from tests.catalog.curriculum_client import Author
from tests.catalog.test_section_mutations import codes
from tests.factories import Given, GivenCourse, gid
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


def steps_on(course: GivenCourse) -> dict[str, dict[str, Any]]:
    return steps(gid("Section", course.sections[0]), [gid("Lecture", lecture) for lecture in course.lectures[:2]])


@pytest.mark.parametrize("status", list(CourseStatus))
def test_nobody_else_changes_the_lectures_of_a_course(client: Client, given: Given, status: CourseStatus) -> None:
    course = given.course(sections=2, status=status)
    rival, learner = given.user(Role.INSTRUCTOR), given.user()
    given.enrollment(learner, course)
    owner = Author(client, given.actor(course.instructor))
    before = owner.sees(course.gid)
    rivals, learners, anyone = (
        Author(client, actor) for actor in (given.actor(rival), given.actor(learner), ANONYMOUS)
    )
    not_there = steps(NOT_THERE["Section"], [NOT_THERE["Lecture"]] * 2)
    for mutation, input in steps_on(course).items():
        assert codes(anyone.answer(mutation, **input)) == ["UNAUTHENTICATED"]
        assert codes(learners.answer(mutation, **input)) == ["FORBIDDEN"]
        answer = rivals.answer(mutation, **input)
        if status is CourseStatus.PUBLISHED:
            assert codes(answer) == ["FORBIDDEN"]
        else:
            assert answer == rivals.answer(mutation, **not_there[mutation])
            assert [error["code"] for error in answer["data"][mutation]["errors"]] == ["NOT_FOUND"]
    assert owner.sees(course.gid) == before


def test_an_instructor_who_is_enrolled_in_an_archived_course_sees_it_and_changes_nothing(
    client: Client, given: Given
) -> None:
    course, rival = given.course(status=CourseStatus.ARCHIVED), given.user(Role.INSTRUCTOR)
    given.enrollment(rival, course)
    author = Author(client, given.actor(rival))
    for mutation, input in steps_on(course).items():
        assert codes(author.answer(mutation, **input)) == ["FORBIDDEN"]


@pytest.mark.parametrize("status", list(CourseStatus))
def test_nothing_is_moved_into_anothers_course_or_out_of_it(
    client: Client, given: Given, status: CourseStatus
) -> None:
    course, rival = given.course(status=status), given.user(Role.INSTRUCTOR)
    own = given.course(instructor=rival, status=CourseStatus.DRAFT)
    quiz = gid("Quiz", given.quiz(course))
    author, owner = Author(client, given.actor(rival)), Author(client, given.actor(course.instructor))
    before = owner.sees(course.gid), author.sees(own.gid)
    (theirs, their_lecture), (mine, my_lecture) = (
        (gid("Section", each.sections[0]), gid("Lecture", each.lectures[0])) for each in (course, own)
    )
    is_seen = status is CourseStatus.PUBLISHED

    into = {"lectureId": my_lecture, "sectionId": theirs, "position": 0}
    assert author.refused("moveLecture", **into) == [("INVALID" if is_seen else "NOT_FOUND", "sectionId")]
    out = {"lectureId": their_lecture, "sectionId": mine, "position": 0}
    if is_seen:
        assert codes(author.answer("moveLecture", **out)) == ["FORBIDDEN"]
    else:
        assert author.refused("moveLecture", **out) == [("NOT_FOUND", "lectureId")]
    named = {"sectionId": mine, "lectureIds": [my_lecture, their_lecture]}
    assert author.refused("reorderLectures", **named) == [("INVALID", "lectureIds")]
    sections = {"courseId": own.gid, "sectionIds": [theirs]}
    assert author.refused("reorderSections", **sections) == [("INVALID", "sectionIds")]
    carrying = {"sectionId": mine, "title": "Test", "type": "QUIZ", "quizId": quiz}
    assert author.refused("createLecture", **carrying) == [("NOT_FOUND", "quizId")]
    assert (owner.sees(course.gid), author.sees(own.gid)) == before


@pytest.mark.parametrize("mutation", ["updateCourse", "moveLecture", "createLecture", "updateLecture"])
def test_a_second_id_that_is_not_there_comes_before_what_is_not_theirs_to_change(
    client: Client, given: Given, mutation: str
) -> None:
    course, rival = given.course(sections=2), given.user(Role.INSTRUCTOR)
    hidden, published = given.quiz(course), given.quiz(course, is_published=True)
    draft = given.course(status=CourseStatus.DRAFT)
    author = Author(client, given.actor(rival))
    section, lecture = gid("Section", course.sections[0]), gid("Lecture", course.lectures[0])
    new = {"sectionId": section, "title": "Test", "type": "QUIZ"}
    cases: dict[str, tuple[dict[str, Any], str, list[str], str]] = {
        "updateCourse": ({"courseId": course.gid}, "categoryId", [section], gid("Category", given.category())),
        "moveLecture": (
            {"lectureId": lecture, "position": -1},
            "sectionId",
            [gid("Section", draft.sections[0]), NOT_THERE["Section"]],
            gid("Section", course.sections[1]),
        ),
        "createLecture": (new, "quizId", [gid("Quiz", hidden), NOT_THERE["Quiz"]], gid("Quiz", published)),
        "updateLecture": ({"lectureId": lecture}, "quizId", [gid("Quiz", hidden)], gid("Quiz", published)),
    }
    first, second, not_there, there = cases[mutation]
    given.enrollment(rival, course)
    for id in (*not_there, "nonsense", ""):
        assert author.refused(mutation, **first, **{second: id}) == [("NOT_FOUND", second)]
    assert codes(author.answer(mutation, **first, **{second: there})) == ["FORBIDDEN"]


def test_a_super_admin_changes_the_lectures_of_any_course(client: Client, given: Given) -> None:
    course = given.course(status=CourseStatus.DRAFT)
    admin = Author(client, given.actor(given.user(Role.SUPER_ADMIN)))
    for mutation, input in steps_on(course).items():
        named = [lecture["id"] for lecture in admin.sees(course.gid)["sections"][0]["lectures"]][::-1]
        admin.does(mutation, **({**input, "lectureIds": named} if mutation == "reorderLectures" else input))
    assert admin.sees(course.gid)["lectureCount"] == 2
