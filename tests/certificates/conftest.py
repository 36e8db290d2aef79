"""Fixtures of the tests of certificates."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.certificates.models import Certificate
from lms_graphql.certificates.services import certificates
from lms_graphql.settings import Settings
from tests.certificates.scenario import Issue
from tests.factories import CourseTree
from tests.live_service import Service


@pytest.fixture
def settings(service: Service) -> Settings:
    return service.resources.settings


@pytest.fixture
def issue(service: Service, settings: Settings) -> Issue:
    """Issues a certificate as completing a course does. Keyword arguments override settings."""

    def issue(user: User, course: CourseTree, **changes: Any) -> Certificate:
        changed = settings.model_copy(update=changes)

        def work(session: Session) -> Certificate:
            key = certificates.issue_certificate(session, user.id, course.row.id, changed)
            return session.get_one(Certificate, key)

        return service.database.write_sync(work)

    return issue
