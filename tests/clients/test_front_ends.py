"""The pages with each client of GraphQL: one request for a page, complete data, and caches that mutations update."""

import json
from pathlib import Path
from typing import Any

import pytest

from lms_graphql.accounts.models import User
from tests import node
from tests.auth import SessionIssuer
from tests.clients.documents import compile_documents, operations
from tests.clients.school import SchoolFactory
from tests.factories import Factories, global_id
from tests.live_service import Service

pytestmark = [pytest.mark.slow, pytest.mark.sqlite_only]

SIZE, PAGE_SIZE = 12, 4


@pytest.fixture
def options(service: Service, make: Factories, no_maintenance: None) -> dict[str, Any]:
    """Return what the scripts need to know about the service and a school there."""
    school = SchoolFactory(make, service, SIZE).build()
    resources = service.resources
    issuer = SessionIssuer(service.database, resources.settings, resources.signer)
    people: dict[str, User] = {"learner": school.learner, "instructor": school.instructor, "newcomer": make.user()}
    return {
        "url": f"{service.url}/graphql",
        "size": SIZE,
        "pages": school.variables(PAGE_SIZE),
        "tokens": {name: issuer.sign_in(user).access_token for name, user in people.items()},
        "freeCourse": {"id": school.free_course.global_id, "slug": school.free_course.slug},
        "quizLectureId": global_id("Lecture", school.quiz_lecture),
    }


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with what Relay's compiler makes of the documents."""
    return compile_documents(tmp_path_factory.mktemp("relay"))


@pytest.mark.parametrize("client", ["apollo", "urql", "relay"])
def test_pages_work_with_client(options: dict[str, Any], artifacts: Path, client: str) -> None:
    script = json.dumps({**options, "artifacts": str(artifacts)})
    result = node.run("node", f"{client}/pages.js", script)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("client", ["apollo", "urql"])
def test_every_document_is_run(client: str) -> None:
    sources = "".join(path.read_text() for path in (node.FOLDER / client).glob("*.js"))
    pages = {"Catalog", "CoursePage", "Player", "LearnerDashboard", "InstructorDashboard"}
    assert [name for name in operations().keys() - pages if f"documents.{name}" not in sources] == []
