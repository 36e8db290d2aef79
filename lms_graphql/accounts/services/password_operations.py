"""Password operations: what mutations that hash or verify a password do around the hashing pool.

Hashing is slow and uses a whole processor, so every operation takes the same steps:

1. Validate the input as far as that needs no database.
2. Get admission to the hashing pool. It raises RequestError UNAVAILABLE before anything was done.
3. Begin, in a transaction: count the attempt, and check or read what needs the database. `create_user` skips this.
4. Hash or verify in a queue slot of the pool, without a database connection.
5. Finish, in a second transaction.

Admission lasts for all following steps, because operations that wait for the database would otherwise use the
capacity that reads need. The slot is only for the hashing. All write with low priority, because many concurrent
logins would delay reads.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy.orm import Session

from lms_graphql.accounts.services import (
    account_tokens,
    credentials,
    current_password,
    email_changes,
    login,
    registration,
)
from lms_graphql.accounts.services.registration import RegistrationData
from lms_graphql.accounts.services.sessions import AuthContext, IssuedSession
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.concurrency import ReadPriorityGate
from lms_graphql.core.errors import DomainError, DomainErrors
from lms_graphql.core.password_hashing import PasswordHashingPool

P = ParamSpec("P")
T = TypeVar("T")


class Write(Protocol):
    """A function that runs a service in one transaction, and after the commit raises the error that it returned."""

    async def __call__(
        self,
        service: Callable[Concatenate[Session, Actor, P], T | DomainError | DomainErrors],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T: ...


@dataclass(frozen=True, slots=True)
class PasswordOperations:
    """The six operations that hash or verify a password, with the parts of a request that they need."""

    auth: AuthContext
    hashing: PasswordHashingPool
    read_priority: ReadPriorityGate
    write: Write

    async def register(self, data: RegistrationData, password: str) -> IssuedSession:
        """Create a learner and return a new session."""
        valid = registration.validate_registration(data, password)
        with self._admission():
            limit_key = await self._write(registration.begin_registration, self.auth, valid)
            password_hash = await self._hash(password)
            return await self._write(registration.register, self.auth, valid, password_hash, limit_key)

    async def create_user(self, data: RegistrationData, password: str, role: Role) -> int:
        """Create an account on behalf of a super admin, and return its key."""
        valid = registration.validate_registration(data, password)
        with self._admission():
            password_hash = await self._hash(password)
            return await self._write(registration.create_user, self.auth, valid, password_hash, role)

    async def login(self, email: str, password: str) -> IssuedSession:
        """Return a new session. Without an account the same steps run, and take as long."""
        new_hash = None
        with self._admission():
            attempt = await self._write(login.begin_login, self.auth, email)
            with self._queue_slot():
                match = await self.hashing.verify(attempt.password_hash, password)
                if match.needs_rehash:
                    new_hash = await self.hashing.hash(password)
            return await self._write(login.finish_login, self.auth, attempt, match.is_correct, new_hash)

    async def change_password(self, current_password: str, new_password: str) -> IssuedSession:
        """Change the actor's password and return a new session, the only one that is left."""
        with self._admission():
            check = await self._write(credentials.begin_password_change, self.auth, new_password)
            with self._queue_slot():
                match = await self.hashing.verify(check.password_hash, current_password)
                new_hash = await self.hashing.hash(new_password) if match.is_correct else ""
            if not match.is_correct:
                raise await self._record_wrong_password(credentials.PASSWORD_CHANGE_FAILED)
            return await self._write(credentials.change_password, self.auth, check, new_hash)

    async def request_email_change(self, new_email: str, password: str) -> bool:
        """Mail a link to the new address if this is the actor's password, and return True."""
        email = email_changes.validate_new_email(new_email)
        with self._admission():
            check = await self._write(current_password.begin_password_check, self.auth)
            with self._queue_slot():
                match = await self.hashing.verify(check.password_hash, password)
            if not match.is_correct:
                raise await self._record_wrong_password(email_changes.EMAIL_CHANGE_FAILED)
            return await self._write(email_changes.request_email_change, self.auth, check, email)

    async def reset_password(self, token: str, new_password: str) -> bool:
        """Set a new password with the token of a mail, and return True.

        A token that has just been used gives the same result again for the same password, because the first answer
        may have been lost.
        """
        with self._admission():
            stored_hash = await self._write(credentials.begin_password_reset, self.auth, token, new_password)
            if stored_hash is None:
                new_hash = await self._hash(new_password)
                stored_hash = await self._write(credentials.reset_password, self.auth, token, new_hash)
            if stored_hash is not None:
                await self._require_password(stored_hash, new_password)
            return True

    async def _require_password(self, stored_hash: str, password: str) -> None:
        """Raise INVALID_TOKEN unless the used token of a password reset comes with the password that it has set."""
        with self._queue_slot():
            match = await self.hashing.verify(stored_hash, password)
        if not match.is_correct:
            raise account_tokens.invalid_token()

    async def _record_wrong_password(self, action: str) -> DomainError:
        return await self._write(current_password.record_wrong_password, self.auth, action)

    def _admission(self) -> AbstractContextManager[None]:
        return self.hashing.admit(self.auth.client_ip)

    def _queue_slot(self) -> AbstractContextManager[None]:
        return self.hashing.queue_slot(self.auth.client_ip)

    async def _hash(self, password: str) -> str:
        with self._queue_slot():
            return await self.hashing.hash(password)

    async def _write(
        self,
        service: Callable[Concatenate[Session, Actor, P], T | DomainError | DomainErrors],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        async with self.read_priority.writer():
            return await self.write(service, *args, **kwargs)
