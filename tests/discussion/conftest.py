"""Fixtures of the tests of discussions."""

import pytest

from tests.discussion.discussion_client import AsUser, DiscussionClient, DiscussionCourse
from tests.factories import Factories
from tests.live_service import Client


@pytest.fixture
def course(make: Factories) -> DiscussionCourse:
    return DiscussionCourse(make)


@pytest.fixture
def as_user(client: Client, course: DiscussionCourse) -> AsUser:
    return lambda name: DiscussionClient(client, course.actor(name))
