"""Sessions and tokens for users of a test, without the time that hashing passwords takes."""

from lms_graphql.accounts.models import User
from lms_graphql.accounts.services.sessions import AuthContext, IssuedSession, create_session
from lms_graphql.core.database import Database
from lms_graphql.core.signing import Signer
from lms_graphql.settings import Settings

CLIENT_IP = "127.0.0.1"


class SessionIssuer:
    """Signs users in as a service with this database and this secret does."""

    def __init__(self, database: Database, settings: Settings, signer: Signer) -> None:
        self.database = database
        self.auth = AuthContext(signer, settings, CLIENT_IP)

    def sign_in(self, user: User) -> IssuedSession:
        return self.database.write_sync(lambda session: create_session(session, self.auth, user.id, user.role))


def bearer_headers(issued: IssuedSession) -> dict[str, str]:
    """Return the headers of a request that is authenticated by this session."""
    return {"authorization": f"Bearer {issued.access_token}"}
