"""GraphiQL in a real browser. It must send no request to any other server."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import ConsoleMessage, Page, Request, expect

from tests.browser import run_chromium
from tests.demo_service import PASSWORD, run_demo_service
from tests.live_service import Service

pytestmark = [pytest.mark.slow, pytest.mark.sqlite_only]

FRONTEND = Path(__file__).parent.parent.parent / "frontend" / "graphiql"


@pytest.fixture(scope="module")
def demo_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with run_demo_service(tmp_path_factory.mktemp("graphiql"), learners=5) as service:
        yield service


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with run_chromium() as chromium:
        yield chromium


@pytest.fixture
def recorded() -> dict[str, list[str]]:
    """Record requests of the browser, and errors and warnings in its console."""
    return {"requests": [], "problems": []}


@pytest.fixture
def page(browser: Any, demo_service: Service, recorded: dict[str, list[str]]) -> Iterator[Page]:
    page: Page = browser.new_page(viewport={"width": 1400, "height": 900})

    def record_request(request: Request) -> None:
        recorded["requests"].append(request.url)

    def record_problem(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            recorded["problems"].append(message.text)

    page.on("request", record_request)
    page.on("console", record_problem)
    page.on("pageerror", lambda error: recorded["problems"].append(str(error)))
    page.goto(f"{demo_service.url}/graphql")
    yield page
    page.close()


def test_default_query_runs_and_shows_its_response(
    page: Page, demo_service: Service, recorded: dict[str, list[str]]
) -> None:
    expect(page.locator(".graphiql-query-editor")).to_contain_text("sections", timeout=30_000)
    page.locator(".graphiql-execute-button").click()
    response = page.locator(".graphiql-response .view-lines")
    expect(response).to_contain_text("Python", timeout=15_000)
    expect(response).to_contain_text("fullName")
    expect(response).not_to_contain_text("errors")
    assert recorded["problems"] == []
    assert all(url.startswith((demo_service.url, "data:")) for url in recorded["requests"]), recorded["requests"]
    if screenshot := os.environ.get("GRAPHIQL_PICTURE"):
        page.screenshot(path=screenshot)


def test_explorer_and_examples_open(page: Page, recorded: dict[str, list[str]]) -> None:
    expect(page.locator(".graphiql-query-editor")).to_contain_text("sections", timeout=30_000)
    page.locator('button[aria-label="Show GraphiQL Explorer"]').click()
    expect(page.locator(".graphiql-explorer-root")).to_contain_text("courses", timeout=15_000)
    page.locator('button[aria-label="Show Examples"]').click()
    page.locator('.example:has-text("Search")').first.click()
    page.locator(".graphiql-execute-button").click()
    expect(page.locator(".graphiql-response .view-lines")).to_contain_text("How to Learn Anything", timeout=15_000)
    assert recorded["problems"] == []


def open_page(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator(".graphiql-query-editor")).to_contain_text("query", timeout=30_000)


VARIABLES = 'section[aria-label="Variables"] .graphiql-editor:not(.hidden) .view-lines'
STORED_TITLES = "() => JSON.parse(localStorage.getItem('graphiql:tabState'))?.tabs.map((tab) => tab.title)"


def wait_for_stored_titles(page: Page, titles: list[str]) -> None:
    """Wait until GraphiQL has stored these tabs. The page's policy forbids scripts that wait inside of it."""
    deadline = time.monotonic() + 30
    while page.evaluate(STORED_TITLES) != titles:
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)


def test_example_survives_reloads(page: Page, recorded: dict[str, list[str]]) -> None:
    for _ in range(3):
        expect(page.locator(".graphiql-query-editor")).to_contain_text("CourseTree", timeout=30_000)
        expect(page.locator(VARIABLES)).to_contain_text("python-from-zero")
        expect(page.locator(".graphiql-tab-button")).to_have_text(["CourseTree"])
        page.wait_for_timeout(700)  # GraphiQL stores the editors' texts after half a second
        wait_for_stored_titles(page, ["CourseTree"])
        page.reload()
    run_in_a_new_tab(page, "query Second { __typename }", "Query")
    wait_for_stored_titles(page, ["CourseTree", "Second"])
    page.reload()
    expect(page.locator(".graphiql-tab-button")).to_have_text(["CourseTree", "Second"], timeout=30_000)
    expect(page.locator(".graphiql-tab-active .graphiql-tab-button")).to_have_text("Second")
    expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("Second")
    assert recorded["problems"] == []


TWO_OPERATIONS = """query First { __typename }
query Second($slug: String!) { course(slug: $slug) { title } }"""


def test_shared_link_opens_document_without_running_it(
    page: Page, demo_service: Service, recorded: dict[str, list[str]]
) -> None:
    link = httpx.URL(
        f"{demo_service.url}/graphql",
        params={"query": TWO_OPERATIONS, "variables": '{"slug": "python-from-zero"}', "operationName": "Second"},
    )
    bodies: list[str] = []
    page.on("request", lambda request: bodies.append(request.post_data or ""))
    open_page(page, str(link))
    expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("Second($slug")
    expect(page.locator(VARIABLES)).to_contain_text("python-from-zero")
    expect(page.locator(".graphiql-tab-active .graphiql-tab-button")).to_have_text("Second")
    assert page.url == f"{demo_service.url}/graphql", "a reload must not open the document again"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_role("button", name="The link was copied.")).to_be_visible()
    shared = httpx.URL(page.evaluate("navigator.clipboard.readText()"))
    assert shared.params == link.params
    assert not any("__typename }" in body for body in bodies)
    page.locator(".graphiql-query-editor .monaco-editor").first.click(position={"x": 120, "y": 30})
    page.keyboard.press("Control+Enter")
    expect(page.locator(".graphiql-response .view-lines")).to_contain_text("Python from Zero", timeout=15_000)
    assert recorded["problems"] == []


SCROLLS_SIDEWAYS = """() => [...document.querySelectorAll(".graphiql-container, .graphiql-container *")]
    .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== "visible")
    .filter((one) => !one.closest(".monaco-editor, .graphiql-tabs"))
    .map((one) => one.className)"""
"""Elements that are wider than their place. Code and tabs may be."""


def test_narrow_page_does_not_scroll_sideways(page: Page, recorded: dict[str, list[str]]) -> None:
    page.set_viewport_size({"width": 420, "height": 800})
    expect(page.locator(".graphiql-query-editor")).to_contain_text("sections", timeout=30_000)
    page.get_by_role("button", name="Show Sign in").click()
    page.get_by_role("button", name="admin@learnwithroko.com").click()
    page.keyboard.insert_text(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".who-am-i")).to_have_text("Ada Admin SUPER_ADMIN")
    for pane in ("Sign in", "Documentation Explorer", "GraphiQL Explorer", "History", "Examples"):
        if pane != "Sign in":
            page.get_by_role("button", name=f"Show {pane}").click()
        assert page.evaluate(SCROLLS_SIDEWAYS) == [], pane
        assert page.evaluate("document.documentElement.scrollWidth") == 420, pane
    for title in ("The catalog", "Filter by category", "The category tree", "Search"):
        page.locator(f".example:has-text('{title}')").first.click()
    expect(page.locator(".graphiql-tab-active .graphiql-tab-button")).to_have_text("SearchCourses")
    expect(page.locator(".graphiql-tab-active")).to_be_in_viewport(ratio=0.99)
    page.locator(".graphiql-execute-button").click()
    expect(page.locator(".graphiql-response .view-lines")).to_contain_text("How to Learn Anything", timeout=15_000)
    page.locator(".graphiql-response").scroll_into_view_if_needed()
    assert page.evaluate(SCROLLS_SIDEWAYS) == []
    assert recorded["problems"] == []


def run_in_a_new_tab(page: Page, query: str, expected: str) -> None:
    page.get_by_role("button", name="New tab").click()
    page.locator(".graphiql-query-editor .monaco-editor").first.click()
    page.keyboard.insert_text(query)
    expect(page.locator(".graphiql-tab-active")).to_contain_text(query.split()[1])  # until GraphiQL has parsed it
    page.locator(".graphiql-execute-button").click()
    expect(page.locator(".graphiql-response .view-lines")).to_contain_text(expected, timeout=15_000)


def test_seed_users_sign_in_with_two_clicks(page: Page, recorded: dict[str, list[str]]) -> None:
    expect(page.locator(".graphiql-query-editor")).to_contain_text("sections", timeout=30_000)
    signed_in_as = page.locator(".who-am-i")
    expect(signed_in_as).to_have_text("Not signed in")
    page.get_by_role("button", name="Show Sign in").click()
    page.get_by_role("button", name="learner@learnwithroko.com").click()
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.insert_text(PASSWORD)
    page.keyboard.press("Enter")
    expect(signed_in_as).to_have_text("Jane Learner LEARNER")
    run_in_a_new_tab(page, "query AsLearner { me { fullName role } }", '"fullName": "Jane Learner"')

    page.get_by_role("button", name="admin@learnwithroko.com").click()  # without the password again
    expect(signed_in_as).to_have_text("Ada Admin SUPER_ADMIN")
    run_in_a_new_tab(page, "query AsAdmin { me { fullName role } }", '"role": "SUPER_ADMIN"')
    assert_secrets_are_only_in_the_tab(page)
    page.reload()
    expect(signed_in_as).to_have_text("Ada Admin SUPER_ADMIN", timeout=30_000)

    page.get_by_role("button", name="Sign out").click()
    expect(signed_in_as).to_have_text("Not signed in")
    run_in_a_new_tab(page, "query AsAnonymous { me { id } }", '"me": null')
    assert page.evaluate("sessionStorage.length") == 0
    assert recorded["problems"] == []


def test_example_runs_as_the_seed_user_that_it_names(page: Page, recorded: dict[str, list[str]]) -> None:
    expect(page.locator(".graphiql-query-editor")).to_contain_text("sections", timeout=30_000)
    page.get_by_role("button", name="Show Examples").click()
    example = page.locator(".example:has-text('Grade essays: what waits')")
    expect(example).to_contain_text("Sign in as instructor.")
    page.get_by_role("button", name="Show Sign in").click()
    page.get_by_role("button", name="instructor@learnwithroko.com").click()
    page.keyboard.insert_text(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".who-am-i")).to_have_text("John Instructor INSTRUCTOR")
    page.get_by_role("button", name="Show Examples").click()
    example.click()
    page.locator(".graphiql-execute-button").click()
    expect(page.locator(".graphiql-response .view-lines")).to_contain_text("In your own words", timeout=15_000)
    assert recorded["problems"] == []


def assert_secrets_are_only_in_the_tab(page: Page) -> None:
    """Fail if a token is stored beyond the tab, or the password anywhere."""
    session = page.evaluate("JSON.parse(sessionStorage.getItem('lms:session'))")
    local_storage = page.evaluate("JSON.stringify({ ...localStorage })")
    assert "AsAdmin" in local_storage, "GraphiQL's history is on"
    for secret in (session["accessToken"], session["refreshToken"], PASSWORD):
        assert secret not in local_storage
    assert PASSWORD not in page.evaluate("JSON.stringify({ ...sessionStorage })")


def test_failed_login_shows_the_error(page: Page) -> None:
    page.get_by_role("button", name="Show Sign in").click(timeout=30_000)
    page.get_by_label("E-mail").fill("learner@learnwithroko.com")
    page.get_by_label("Password").fill("not-this-one")
    with page.expect_response(lambda response: "SignIn" in (response.request.post_data or "")) as response:
        page.keyboard.press("Enter")
    error = response.value.json()["data"]["login"]["errors"][0]
    assert error["code"] == "INVALID_CREDENTIALS"
    expect(page.locator(".sign-in-problem")).to_have_text(error["message"])
    expect(page.locator(".who-am-i")).to_have_text("Not signed in")


def test_frontend_unit_tests_pass() -> None:
    """Run frontend/graphiql/test: token refresh, ends of sessions, examples that are valid against the schema."""
    result = subprocess.run(["node", "--test"], check=False, cwd=FRONTEND, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
