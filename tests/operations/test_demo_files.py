"""Files of the demo data: served with safe headers, and found wherever the service listens."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from lms_graphql import settings
from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course, Lecture, LectureType
from lms_graphql.demo.builder import build_demo
from lms_graphql.demo_files import FOLDER
from lms_graphql.operations import migrations, seed_data
from lms_graphql.operations.database_access import open_database
from lms_graphql.settings import Settings
from tests.factories import Factories
from tests.live_service import Client, run_service

PATHS = [f"/demo/{file.name}" for file in sorted(FOLDER.iterdir())]
TYPES = {".svg": "image/svg+xml", ".mp4": "video/mp4", ".pdf": "application/pdf"}
URLS = """query ($slug: String!) {
  course(slug: $slug) {
    thumbnailUrl
    previewVideoUrl
    instructor { profileImageUrl }
    sections { lectures { content { videoUrl resourceUrl } } }
  }
}"""


@pytest.mark.parametrize("path", ["/demo/course-1.svg", "/demo/video.mp4", "/demo/handout.pdf"])
def test_demo_file_has_safe_headers(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == TYPES[Path(path).suffix]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "public, max-age=86400"
    assert ("sandbox" in response.headers.get("content-security-policy", "")) == path.endswith(".svg")
    again = client.get(path, headers={"if-none-match": response.headers["etag"]})
    assert again.status_code == 304


def test_demo_video_can_be_sought(client: Client) -> None:
    response = client.get("/demo/video.mp4", headers={"range": "bytes=100-199"})
    assert (response.status_code, len(response.content)) == (206, 100)


@pytest.mark.parametrize("path", ["/demo/none.svg", "/demo/", "/demo/..%2fgraphiql_cdn.html", "/demo/%00"])
def test_other_paths_are_not_found(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_stored_path_is_a_url_of_the_service(make: Factories, service_settings: Settings) -> None:
    instructor = make.user(profile_image="/demo/person-1.svg")
    course = make.course(
        instructor=instructor, sections=0, thumbnail_url="/demo/course-1.svg", preview_video_url="/demo/video.mp4"
    )
    section = make.section(course)
    video = {"lecture_type": LectureType.VIDEO, "video_url": "/demo/video.mp4", "content_url": None}
    file = {"lecture_type": LectureType.RESOURCE, "video_url": None, "content_url": "/demo/handout.pdf"}
    for position, values in enumerate((video, file)):
        make.lecture(section, order_index=position, is_preview=True, **values)
    moved = service_settings.model_copy(update={"service_url": "https://api.example.com/lms/"})
    with run_service(moved) as service, closing(Client(service)) as client:
        data = client.execute(URLS, slug=course.slug)["course"]
    base_url = "https://api.example.com/lms/demo"
    assert data["thumbnailUrl"] == f"{base_url}/course-1.svg"
    assert data["previewVideoUrl"] == f"{base_url}/video.mp4"
    assert data["instructor"]["profileImageUrl"] == f"{base_url}/person-1.svg"
    contents = [lecture["content"] for lecture in data["sections"][0]["lectures"]]
    assert [content["videoUrl"] for content in contents] == [f"{base_url}/video.mp4", None]
    assert [content["resourceUrl"] for content in contents] == [None, f"{base_url}/handout.pdf"]


def test_other_urls_are_returned_as_stored(client: Client, make: Factories) -> None:
    course = make.course(thumbnail_url="https://example.com/a.png", preview_video_url=None)
    data = client.execute(URLS, slug=course.slug)["course"]
    assert (data["thumbnailUrl"], data["previewVideoUrl"]) == ("https://example.com/a.png", None)


@pytest.fixture
def demo_urls(tmp_path: Path) -> Iterator[list[str | None]]:
    """Yield all URLs that a small demo stores."""
    configuration = settings.load_settings({"LMS_DATABASE_URL": f"sqlite:///{tmp_path}/lms.db"}, Path("/nowhere"))
    columns = (
        Course.thumbnail_url,
        Course.preview_video_url,
        Lecture.video_url,
        Lecture.content_url,
        User.profile_image,
    )
    with open_database(configuration) as database:
        migrations.migrate(database.engine)
        database.write_sync(seed_data.seed)
        database.write_sync(lambda session: build_demo(session, courses=30, learners=20))
        yield database.read_sync(lambda session: [url for one in columns for url in session.scalars(select(one))])


@pytest.mark.slow
def test_urls_of_the_demo_lead_to_files(demo_urls: list[str | None]) -> None:
    assert {url for url in demo_urls if url} == set(PATHS)
