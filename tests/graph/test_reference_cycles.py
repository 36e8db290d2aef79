"""Operations leave no reference cycles, because collecting many of them stops the process for a while."""

import gc
from collections import Counter
from collections.abc import Iterator

import pytest

from lms_graphql.core.actor import Actor
from tests.factories import PASSWORD, CourseTree, Factories
from tests.live_service import Client

pytestmark = pytest.mark.sqlite_only

TREE = "query ($s: String!) { course(slug: $s) { title sections { title lectures { title type } } } }"
PAGE = "{ courses(first: 5) { totalCount nodes { title instructor { fullName } } } }"
DENIED = "{ me { id } users { totalCount } }"
ME = "{ me { email } }"
PAGE_OF_N = "query ($n: Int) { courses(first: $n) { totalCount } }"
LOGIN = """mutation ($e: String!, $p: String!) {
  login(input: {email: $e, password: $p}) { session { accessToken user { email } } errors { code } }
}"""
ENROLL = "mutation ($c: ID!) { enroll(input: {courseId: $c}) { enrollment { course { title } } errors { code } } }"
APPLY = """mutation { applyToTeach(input: {motivation: "I like it.", experience: "Some."}) { errors { code } } }"""
NEXT = "query ($s: String!) { course(slug: $s) { sections { lectures { next { title previous { id } } } } } }"
WATCHED_CLASSES = {
    "Context",
    "ReadContext",
    "PlanLoads",
    "PlanRun",
    "PlanTrees",
    "_TreeRead",
    "_CountingBudget",
    "PendingLoad",
    "_SuspendedResolver",
    "Loaders",
    "BatchDataLoader",
    "ReferenceExecutor",
    "ResponseBudget",
    "ReadBatcher",
    "Session",
    "DomainError",
}


@pytest.fixture
def collector_off(no_maintenance: None) -> Iterator[None]:
    """Keep what the collector finds in `gc.garbage`. Maintenance does not run, because it leaves a session."""
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


def collected() -> Counter[str]:
    """Return how many objects of the watched classes only the collector could free."""
    gc.collect()
    return Counter(name for item in gc.garbage if (name := type(item).__name__) in WATCHED_CLASSES)


@pytest.mark.usefixtures("collector_off")
def test_queries_leave_no_reference_cycles(client: Client, course: CourseTree) -> None:
    for _ in range(3):
        client.execute(TREE, s=course.slug)
        client.execute(PAGE)
        client.execute(NEXT, s=course.slug)
        assert client.error_codes(DENIED)
        assert client.error_codes(PAGE_OF_N, n="no number") == ["BAD_USER_INPUT"]
    assert collected() == Counter()


@pytest.mark.usefixtures("collector_off")
def test_mutations_leave_no_reference_cycles(client: Client, make: Factories, course: CourseTree) -> None:
    learner = make.user_with_password()
    signed_in = client.execute(LOGIN, e=learner.email, p=PASSWORD)["login"]
    assert client.execute(ME, bearer=signed_in["session"]["accessToken"]) == {"me": {"email": learner.email}}
    assert client.error_codes(ME, bearer="nonsense") == ["UNAUTHENTICATED"]
    rejected = client.execute(LOGIN, e=learner.email, p="a wrong one")["login"]
    assert rejected["errors"] == [{"code": "INVALID_CREDENTIALS"}]
    for id_, errors in ((course.global_id, []), ("Q291cnNlOjk5OTk5OTk", [{"code": "NOT_FOUND"}])):
        assert client.execute(ENROLL, Actor(learner.id, learner.role), c=id_)["enroll"]["errors"] == errors
    assert collected() == Counter()


@pytest.mark.usefixtures("collector_off")
def test_integrity_error_leaves_no_reference_cycles(client: Client, make: Factories) -> None:
    learner = make.user_with_password()
    for errors in ([], [{"code": "ALREADY_EXISTS"}]):
        assert client.execute(APPLY, Actor(learner.id, learner.role))["applyToTeach"]["errors"] == errors
    assert collected() == Counter()
