"""The secret that signs and hashes, and where it comes from."""

import os
import secrets
from pathlib import Path

from lms_graphql.core.errors import OperatorError, UnsafeConfigurationError
from lms_graphql.settings import Settings

MIN_SECRET_BYTES = 32
"""Bytes, in production."""
FILE_NAME = "secret-key"


def load_secret_key(settings: Settings) -> str:
    """LMS_SECRET_KEY; in development one that was made once and is kept beside the database."""
    if settings.secret_key is not None:
        return settings.secret_key
    if settings.is_production:
        raise UnsafeConfigurationError(
            f"LMS_SECRET_KEY is missing: at least {MIN_SECRET_BYTES} random bytes. {HOW_TO_GENERATE}"
        )
    return _kept(_file_of(settings))


HOW_TO_GENERATE = 'Make one with: python -c "import secrets; print(secrets.token_urlsafe(48))".'


def weakness(secret: str | None) -> str | None:
    """Why this secret will not do in production; None where it will."""
    if secret is None:
        return f"LMS_SECRET_KEY is missing: at least {MIN_SECRET_BYTES} random bytes. {HOW_TO_GENERATE}"
    if len(secret.encode()) < MIN_SECRET_BYTES:
        return f"LMS_SECRET_KEY is too short: at least {MIN_SECRET_BYTES} random bytes. {HOW_TO_GENERATE}"
    if len(set(secret)) < 12:
        return f"LMS_SECRET_KEY is not random. {HOW_TO_GENERATE}"
    return None


def _file_of(settings: Settings) -> Path:
    if settings.url.get_backend_name() == "sqlite":
        return Path(f"{settings.url.database}.{FILE_NAME}")
    return Path(f"lms.{FILE_NAME}")


def _kept(file: Path) -> str:
    """Of several processes that start at once, all read what one has written."""
    try:
        if not file.exists():
            fresh = file.with_name(f".{file.name}.{os.getpid()}")
            fresh.touch(mode=0o600, exist_ok=False)
            fresh.write_text(secrets.token_urlsafe(48))
            try:
                os.link(fresh, file)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return file.read_text().strip()
    except OSError as error:
        message = f"The secret cannot be kept in {file} ({error.strerror}). Set LMS_SECRET_KEY instead."
        raise OperatorError(message) from None
