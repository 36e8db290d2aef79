"""What the service refuses to start with in production."""

from sqlalchemy import select

from lms_graphql.accounts.models import User
from lms_graphql.core.errors import UnsafeError
from lms_graphql.core.hashing import is_password_of
from lms_graphql.operating.reaching import database_of
from lms_graphql.operating.secret import weakness
from lms_graphql.operating.seeding import USERS
from lms_graphql.settings import Settings


def require_safe(settings: Settings, workers: int = 1, reload: bool = False) -> None:
    """UnsafeError, in one line, where the settings alone show that it is not."""
    if not settings.is_production:
        return
    if problem := weakness(settings.secret_key):
        raise UnsafeError(problem)
    if reload:
        raise UnsafeError("--reload is for development: leave it out, or unset LMS_ENV.")
    if workers > 1 and settings.url.get_backend_name() == "sqlite":
        raise UnsafeError("SQLite serves one process in production: use MySQL or MariaDB, or --workers 1.")


def require_safe_seeds(settings: Settings) -> None:
    """UnsafeError where the password in LMS_SEED_PASSWORD, which scripts and people know, still opens an account."""
    if not settings.is_production or settings.seed_password is None:
        return
    seeds = select(User.email, User.password_hash).where(
        User.email_key.in_([user.email for user in USERS]), User.is_active, User.password_hash.is_not(None)
    )
    with database_of(settings) as database:
        accounts = database.read_now(lambda session: session.execute(seeds).all())
    for email, hashed in accounts:
        if hashed is not None and is_password_of(hashed, settings.seed_password):
            raise UnsafeError(
                f"{email} still has the password of LMS_SEED_PASSWORD: change it, or delete the account."
            )
