"""The course in the payloads of deleted notes, questions and answers."""

from sqlalchemy import update

from lms_graphql.catalog.models import Course, CourseStatus
from tests.discussion.discussion_client import AsUser, DiscussionCourse, execute
from tests.factories import Factories, global_id
from tests.live_service import Service

DELETE = """mutation D($note: ID!, $answer: ID!, $question: ID!) {
  deleteNote(input: {noteId: $note}) { deletedId course { id } errors { code } }
  deleteQaAnswer(input: {answerId: $answer}) { deletedId course { id } errors { code } }
  deleteQaQuestion(input: {questionId: $question}) { deletedId course { id } errors { code } }
}"""
DELETE_NOTE = "mutation D($id: ID!) { deleteNote(input: {noteId: $id}) { deletedId course { id } errors { code } } }"


def test_deletion_returns_the_course(course: DiscussionCourse, as_user: AsUser, make: Factories) -> None:
    question = course.question()
    ids = {
        "note": global_id("Note", make.note(course.asker, course.lecture)),
        "answer": global_id("QAAnswer", make.answer(course.asker, question)),
        "question": global_id("QAQuestion", question),
    }
    payloads = as_user("asker").execute(DELETE, **ids)
    expected = [{"deletedId": id, "course": {"id": course.course.global_id}, "errors": []} for id in ids.values()]
    assert list(payloads.values()) == expected


def test_deletion_hides_a_course_that_the_viewer_may_not_see(
    course: DiscussionCourse, as_user: AsUser, make: Factories, service: Service
) -> None:
    note_id = global_id("Note", make.note(course.asker, course.lecture))
    execute(service.database, update(Course).values(status=CourseStatus.DRAFT))
    payload = as_user("asker").execute(DELETE_NOTE, id=note_id)["deleteNote"]
    assert payload == {"deletedId": note_id, "course": None, "errors": []}
