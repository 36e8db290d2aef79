"""Production checks: unsafe configurations with which the service does not start."""

from sqlalchemy import or_, select

from lms_graphql.accounts.models import User
from lms_graphql.core.errors import UnsafeConfigurationError
from lms_graphql.core.password_hashing import verify_password
from lms_graphql.operations.database_access import open_database
from lms_graphql.operations.secret_key import secret_key_problem
from lms_graphql.operations.seed_data import USERS
from lms_graphql.settings import Settings


def require_production_settings(settings: Settings, workers: int = 1, reload: bool = False) -> None:
    """Raise UnsafeConfigurationError if the settings or options are unsafe in production."""
    if not settings.is_production:
        return
    if problem := secret_key_problem(settings.secret_key):
        raise UnsafeConfigurationError(problem)
    if reload:
        raise UnsafeConfigurationError("--reload is for development only. Leave it out, or unset LMS_ENV.")
    if workers > 1 and settings.url.get_backend_name() == "sqlite":
        raise UnsafeConfigurationError(
            "SQLite supports only one process in production. Use MySQL or MariaDB, or --workers 1."
        )


def require_changed_seed_passwords(settings: Settings) -> None:
    """Raise UnsafeConfigurationError if a seed user in production still has the password in LMS_SEED_PASSWORD.

    That password is in scripts and known to people.
    """
    if not settings.is_production or settings.seed_password is None:
        return
    is_seed_user = or_(  # users can change either of them
        User.email_key.in_([user.email for user in USERS]), User.username_key.in_([user.username for user in USERS])
    )
    has_password = User.password_hash.is_not(None)
    seed_users = select(User.email, User.password_hash).where(is_seed_user, User.is_active, has_password)
    with open_database(settings) as database:
        users = database.read_sync(lambda session: session.execute(seed_users).all())
    for email, password_hash in users:
        if password_hash is not None and verify_password(password_hash, settings.seed_password):
            raise UnsafeConfigurationError(
                f"{email} still has the password in LMS_SEED_PASSWORD. Change that password, or delete the account."
            )
