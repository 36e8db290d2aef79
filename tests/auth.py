"""People who are signed in already: real sessions and tokens, without the seconds that passwords take."""

from lms_graphql.accounts.models import User
from lms_graphql.accounts.services.sessions import AuthContext, IssuedSession, create_session
from lms_graphql.core.database import Database
from lms_graphql.core.signing import Signer
from lms_graphql.settings import Settings

HERE = "127.0.0.1"


class Reception:
    """Signs people in as the service would that has this secret and this database."""

    def __init__(self, database: Database, settings: Settings, signer: Signer) -> None:
        self.database = database
        self.desk = AuthContext(signer, settings, HERE)

    def sign_in(self, user: User) -> IssuedSession:
        return self.database.write_sync(lambda session: create_session(session, self.desk, user.id, user.role))


def bearer(opened: IssuedSession) -> dict[str, str]:
    return {"authorization": f"Bearer {opened.access_token}"}
