"""A learner's journey: they watch, pause, continue on another device, finish, and show their certificate."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from lms_graphql.catalog.models import LectureType
from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from lms_graphql.learning.models import CourseProgress
from tests.certificates.test_pdf import get_pdf, pdf_text, without_whitespace
from tests.certificates.test_verification import verify
from tests.factories import PASSWORD, Factories, global_id
from tests.learning.progress_client import COURSE_PROGRESS, RECORD, SET_COMPLETED, completed_input, record_input
from tests.live_service import Client, Service
from tests.mail_servers import Mailbox

LOGIN = "mutation L($input: LoginInput!) { login(input: $input) { session { accessToken } } }"


class Device:
    """A device on which a user has logged in."""

    def __init__(self, client: Client, service: Service, email: str) -> None:
        self._client, self._service = client, service
        data = client.execute(LOGIN, input={"email": email, "password": PASSWORD})
        self._bearer = data["login"]["session"]["accessToken"]

    def report_progress(self, input: dict[str, Any]) -> Any:
        """Report progress as if the last report was a minute ago, so that the watched time is credited."""
        minute_ago = clock.now() - timedelta(minutes=1)
        backdate = update(CourseProgress).values(credit_since=minute_ago)
        self._service.database.write_sync(lambda session: session.execute(backdate) and None)
        return self.execute(RECORD, input=input)["recordLectureProgress"]

    def execute(self, document: str, **variables: Any) -> Any:
        return self._client.execute(document, bearer=self._bearer, **variables)


@pytest.mark.slow
def test_learner_journey(client: Client, service: Service, make: Factories, mailbox: Mailbox) -> None:
    instructor = make.user(Role.INSTRUCTOR, first_name="Maria", last_name="Mitchell")
    course = make.course("The Moon", instructor=instructor, lectures=0, total_lectures=3)
    section = course.sections[0]
    first, second = (make.lecture(section, order_index=position, duration=100) for position in (0, 1))
    text = make.lecture(section, order_index=2, lecture_type=LectureType.TEXT, duration=0)
    learner = make.user_with_password(first_name="Jane", last_name="Learner")
    make.enrollment(learner, course, enrolled_at=clock.now() - timedelta(minutes=5))

    phone = Device(client, service, str(learner.email))
    paused = phone.report_progress(record_input(first, (0, 40), position=40))
    assert (paused["progress"]["watchSeconds"], paused["enrollment"]["progress"]["percent"]) == (40, 0)

    laptop = Device(client, service, str(learner.email))
    node = laptop.execute(COURSE_PROGRESS, id=course.global_id)["node"]
    assert node["viewerEnrollment"]["progress"]["currentLecture"]["id"] == global_id("Lecture", first)
    (lectures,) = [section["lectures"] for section in node["sections"]]
    assert lectures[0]["viewerProgress"]["positionSeconds"] == 40, "the position at which the learner paused"
    assert lectures[1]["viewerProgress"] is None
    completed = laptop.report_progress(record_input(first, (40, 95), position=95))
    assert (completed["progress"]["isCompleted"], completed["enrollment"]["progress"]["percent"]) == (True, 33.33)
    late = phone.report_progress(record_input(first, (35, 45), position=45))
    assert (late["progress"]["isCompleted"], late["progress"]["watchSeconds"]) == (True, 95)
    assert late["enrollment"]["progress"]["currentLecture"]["id"] == global_id("Lecture", second)

    laptop.execute(SET_COMPLETED, input=completed_input(text))
    finished = laptop.report_progress(record_input(second, (0, 100), position=100))["enrollment"]
    assert (finished["status"], finished["progress"]["percent"]) == ("COMPLETED", 100)
    assert finished["progress"]["watchSeconds"] == 195

    mailbox.wait_for(1)
    assert mailbox.recipients == [learner.email]
    code = finished["certificate"]["verificationCode"]
    verified = verify(client, code)
    assert (verified["status"], verified["learnerName"], verified["courseTitle"]) == (
        "VALID",
        "Jane Learner",
        "The Moon",
    )
    response = get_pdf(client, code)
    assert finished["certificate"]["pdfUrl"].endswith(f"/certificates/{code}.pdf")
    assert response.status_code == 200
    for words in ("Jane Learner", "The Moon", "Maria Mitchell"):
        assert without_whitespace(words) in without_whitespace(pdf_text(response.content))
