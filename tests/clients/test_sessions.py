"""Apollo Client and urql, set up as their documentation says, against the running service."""

import json
from datetime import timedelta

import pytest

from lms_graphql.accounts.access_tokens import Claims, decode_token, encode_token
from lms_graphql.core import clock
from tests import node
from tests.auth import SessionIssuer
from tests.factories import PASSWORD, Factories
from tests.live_service import Service

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("script", ["apollo.js", "urql.js"])
def test_documented_client_works(service: Service, make: Factories, script: str) -> None:
    make.category("Only")
    user = make.user_with_password()
    resources = service.resources
    issued = SessionIssuer(service.database, resources.settings, resources.signer).sign_in(user)
    claims = decode_token(resources.signer, issued.access_token)
    expired = Claims(*claims[:-1], issued_at=clock.now() - timedelta(hours=1))
    token, _ = encode_token(resources.signer, expired, minutes=15)
    options = {"url": f"{service.url}/graphql", "email": user.email, "password": PASSWORD, "expiredToken": token}
    result = node.run("node", f"sessions/{script}", json.dumps(options))
    assert result.returncode == 0, result.stdout + result.stderr
