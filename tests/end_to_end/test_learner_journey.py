"""The story of a learner: they watch, pause, come back on another device, finish, and show what they have got."""

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from lms_graphql.catalog.models import LectureType
from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from lms_graphql.learning.models import CourseProgress
from tests.certificates.test_pdf import bare, get, read
from tests.certificates.test_verification import verify
from tests.factories import PASSWORD, Factories, global_id
from tests.learning.progress_client import COURSE_PROGRESS as MINE
from tests.learning.progress_client import RECORD as REPORT
from tests.learning.progress_client import SET_COMPLETED as TICK
from tests.learning.progress_client import completed_input as tick_of
from tests.learning.progress_client import record_input as report_of
from tests.live_service import Client, Service
from tests.mail_servers import Postbox

LOGIN = "mutation L($input: LoginInput!) { login(input: $input) { session { accessToken } } }"


class Device:
    """On which somebody has signed in."""

    def __init__(self, client: Client, service: Service, email: str) -> None:
        self._client, self._service = client, service
        answer = client.execute(LOGIN, input={"email": email, "password": PASSWORD})
        self._bearer = answer["login"]["session"]["accessToken"]

    def plays(self, input: dict[str, Any]) -> Any:
        """As long as it takes."""
        while_ago = clock.now() - timedelta(minutes=1)
        ago = update(CourseProgress).values(reported_at=while_ago)
        self._service.database.write_sync(lambda session: session.execute(ago) and None)
        return self.race_request(REPORT, input=input)["recordLectureProgress"]

    def race_request(self, document: str, **variables: Any) -> Any:
        return self._client.execute(document, bearer=self._bearer, **variables)


def test_the_story_of_a_learner(client: Client, service: Service, make: Factories, postbox: Postbox) -> None:
    teacher = make.user(Role.INSTRUCTOR, first_name="Maria", last_name="Mitchell")
    course = make.course("The Moon", instructor=teacher, lectures=0, total_lectures=3)
    section = course.sections[0]
    video, other = (make.lecture(section, order_index=place, duration=100) for place in (0, 1))
    text = make.lecture(section, order_index=2, lecture_type=LectureType.TEXT, duration=0)
    person = make.person(first_name="Jane", last_name="Learner")
    make.enrollment(person, course, enrolled_at=clock.now() - timedelta(minutes=5))

    phone = Device(client, service, str(person.email))
    seen = phone.plays(report_of(video, (0, 40), position=40))
    assert (seen["progress"]["watchSeconds"], seen["enrollment"]["progress"]["percent"]) == (40, 0)

    laptop = Device(client, service, str(person.email))
    there = laptop.race_request(MINE, id=course.global_id)["node"]
    assert there["viewerEnrollment"]["progress"]["currentLecture"]["id"] == global_id("Lecture", video)
    (lectures,) = [section["lectures"] for section in there["sections"]]
    assert lectures[0]["viewerProgress"]["positionSeconds"] == 40, "where they paused"
    assert lectures[1]["viewerProgress"] is None
    done = laptop.plays(report_of(video, (40, 95), position=95))
    assert (done["progress"]["isCompleted"], done["enrollment"]["progress"]["percent"]) == (True, 33.33)
    late = phone.plays(report_of(video, (35, 45), position=45))
    assert (late["progress"]["isCompleted"], late["progress"]["watchSeconds"]) == (True, 95)
    assert late["enrollment"]["progress"]["currentLecture"]["id"] == global_id("Lecture", other)

    laptop.race_request(TICK, input=tick_of(text))
    finished = laptop.plays(report_of(other, (0, 100), position=100))["enrollment"]
    assert (finished["status"], finished["progress"]["percent"]) == ("COMPLETED", 100)
    assert finished["progress"]["watchSeconds"] == 195

    postbox.wait_for(1)
    assert postbox.addresses == [person.email]
    code = finished["certificate"]["verificationCode"]
    told = verify(client, code)
    assert (told["status"], told["learnerName"], told["courseTitle"]) == ("VALID", "Jane Learner", "The Moon")
    printed = get(client, code)
    assert finished["certificate"]["pdfUrl"].endswith(f"/certificates/{code}.pdf")
    assert printed.status_code == 200
    for words in ("Jane Learner", "The Moon", "Maria Mitchell"):
        assert bare(words) in bare(read(printed.content))
