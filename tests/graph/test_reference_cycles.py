"""An operation leaves no circles: what only the collector finds stops the process once there is much of it."""

import gc
from collections import Counter
from collections.abc import Iterator

import pytest

from lms_graphql.core.actor import Actor
from tests.factories import PASSWORD, CourseTree, Factories
from tests.live_service import Client

TREE = "query ($s: String!) { course(slug: $s) { title sections { title lectures { title type } } } }"
PAGE = "{ courses(first: 5) { totalCount nodes { title instructor { fullName } } } }"
DENIED = "{ me { id } users { totalCount } }"
ME = "{ me { email } }"
FOR_A_NUMBER = "query ($n: Int) { courses(first: $n) { totalCount } }"
LOGIN = """mutation ($e: String!, $p: String!) {
  login(input: {email: $e, password: $p}) { session { accessToken user { email } } errors { code } }
}"""
ENROLL = "mutation ($c: ID!) { enroll(input: {courseId: $c}) { enrollment { course { title } } errors { code } } }"
APPLY = """mutation { applyToTeach(input: {motivation: "I like it.", experience: "Some."}) { errors { code } } }"""
OURS = {
    "Context",
    "Loaders",
    "CancelSafeDataLoader",
    "RowExecutor",
    "ResponseBudget",
    "ReadBatcher",
    "Session",
    "DomainError",
}


@pytest.fixture
def uncollected(unswept: None) -> Iterator[None]:
    """What the collector finds is kept, to be looked at. The sweep, which leaves a session, stays away."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


@pytest.fixture
def course(make: Factories) -> CourseTree:
    return make.course(sections=2, lectures=2)


def left() -> Counter[str]:
    gc.collect()
    return Counter(kind for one in gc.garbage if (kind := type(one).__name__) in OURS)


@pytest.mark.usefixtures("uncollected")
def test_what_is_read_leaves_nothing_for_the_collector(client: Client, course: CourseTree) -> None:
    for _ in range(3):
        client.execute(TREE, s=course.slug)
        client.execute(PAGE)
        assert client.error_codes(DENIED)
        assert client.error_codes(FOR_A_NUMBER, n="no number") == ["BAD_USER_INPUT"]
    assert left() == Counter()


@pytest.mark.usefixtures("uncollected")
def test_what_is_written_or_refused_leaves_nothing_for_the_collector(
    client: Client, make: Factories, course: CourseTree
) -> None:
    learner = make.person()
    signed_in = client.execute(LOGIN, e=learner.email, p=PASSWORD)["login"]
    assert client.execute(ME, bearer=signed_in["session"]["accessToken"]) == {"me": {"email": learner.email}}
    assert client.error_codes(ME, bearer="nonsense") == ["UNAUTHENTICATED"]
    refused = client.execute(LOGIN, e=learner.email, p="a wrong one")["login"]
    assert refused["errors"] == [{"code": "INVALID_CREDENTIALS"}]
    for id_, said in ((course.global_id, []), ("Q291cnNlOjk5OTk5OTk", [{"code": "NOT_FOUND"}])):
        assert client.execute(ENROLL, Actor(learner.id, learner.role), c=id_)["enroll"]["errors"] == said
    assert left() == Counter()


@pytest.mark.usefixtures("uncollected")
def test_what_the_database_refuses_leaves_nothing_for_the_collector(client: Client, make: Factories) -> None:
    learner = make.person()
    for said in ([], [{"code": "ALREADY_EXISTS"}]):
        assert client.execute(APPLY, Actor(learner.id, learner.role))["applyToTeach"]["errors"] == said
    assert left() == Counter()
