"""The access matrix always uses plans, unless `LMS_TEST_EXECUTOR=reference` switches them off."""

from collections.abc import Iterator

import pytest

from lms_graphql.graph.execution import plan_cache


@pytest.fixture(autouse=True, scope="package")
def plans_are_never_paused() -> Iterator[None]:
    """Let each query run on its plan first, although the plans of queries for forbidden fields fail."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(plan_cache, "MAX_FAILURES", 1_000_000)
        yield
