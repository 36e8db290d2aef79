"""The secret key, which signs access tokens and hashes the keys of rate limits.

It comes from LMS_SECRET_KEY, or in development from a file.
"""

import os
import secrets
from pathlib import Path

from lms_graphql.core.errors import OperatorError, UnsafeConfigurationError
from lms_graphql.settings import Settings

MIN_BYTES = 32
MIN_DISTINCT_CHARACTERS = 12
FILE_SUFFIX = "secret-key"
HOW_TO_GENERATE = 'Generate one with: python -c "import secrets; print(secrets.token_urlsafe(48))".'


def load_secret_key(settings: Settings) -> str:
    """Return LMS_SECRET_KEY. In development, without it, return the key in the file in the database's folder.

    Raise UnsafeConfigurationError in production without LMS_SECRET_KEY, OperatorError if the file cannot be used.
    """
    if settings.secret_key is not None:
        return settings.secret_key
    if settings.is_production:
        raise UnsafeConfigurationError(str(secret_key_problem(None)))
    return _read_or_create(_file(settings))


def secret_key_problem(secret: str | None) -> str | None:
    """Return why this secret key is not good enough for production, or None if it is."""
    if secret is None:
        return f"LMS_SECRET_KEY is missing. It needs at least {MIN_BYTES} random bytes. {HOW_TO_GENERATE}"
    if len(secret.encode()) < MIN_BYTES:
        return f"LMS_SECRET_KEY is too short. It needs at least {MIN_BYTES} random bytes. {HOW_TO_GENERATE}"
    if len(set(secret)) < MIN_DISTINCT_CHARACTERS:
        return f"LMS_SECRET_KEY is not random. {HOW_TO_GENERATE}"
    return None


def _file(settings: Settings) -> Path:
    if settings.url.get_backend_name() == "sqlite":
        return Path(f"{settings.url.database}.{FILE_SUFFIX}")
    return Path(f"lms.{FILE_SUFFIX}")


def _read_or_create(file: Path) -> str:
    """Return the key in the file. If several processes start at once, all return what one of them has written.

    A link is atomic and fails if the file exists, so no process reads a file that is only half written.
    """
    try:
        if not file.exists():
            temporary_file = file.with_name(f".{file.name}.{os.getpid()}")
            temporary_file.touch(mode=0o600, exist_ok=False)
            temporary_file.write_text(secrets.token_urlsafe(48))
            try:
                os.link(temporary_file, file)
            except FileExistsError:
                pass
            finally:
                temporary_file.unlink()
        return file.read_text().strip()
    except OSError as error:
        message = f"The secret key cannot be stored in {file}: {error.strerror}. Set LMS_SECRET_KEY instead."
        raise OperatorError(message) from None
