"""What the service refuses to start with in production."""

from sqlalchemy import select

from lms_graphql.accounts.models import User
from lms_graphql.core.errors import UnsafeConfigurationError
from lms_graphql.core.password_hashing import verify_password
from lms_graphql.operations.database_access import open_database
from lms_graphql.operations.secret_key import weakness
from lms_graphql.operations.seed_data import USERS
from lms_graphql.settings import Settings


def require_production_settings(settings: Settings, workers: int = 1, reload: bool = False) -> None:
    """UnsafeError, in one line, where the settings alone show that it is not."""
    if not settings.is_production:
        return
    if problem := weakness(settings.secret_key):
        raise UnsafeConfigurationError(problem)
    if reload:
        raise UnsafeConfigurationError("--reload is for development: leave it out, or unset LMS_ENV.")
    if workers > 1 and settings.url.get_backend_name() == "sqlite":
        raise UnsafeConfigurationError(
            "SQLite serves one process in production: use MySQL or MariaDB, or --workers 1."
        )


def require_changed_seed_passwords(settings: Settings) -> None:
    """UnsafeError where the password in LMS_SEED_PASSWORD, which scripts and people know, still opens an account."""
    if not settings.is_production or settings.seed_password is None:
        return
    seeds = select(User.email, User.password_hash).where(
        User.email_key.in_([user.email for user in USERS]), User.is_active, User.password_hash.is_not(None)
    )
    with open_database(settings) as database:
        accounts = database.read_sync(lambda session: session.execute(seeds).all())
    for email, hashed in accounts:
        if hashed is not None and verify_password(hashed, settings.seed_password):
            raise UnsafeConfigurationError(
                f"{email} still has the password of LMS_SEED_PASSWORD: change it, or delete the account."
            )
