"""People in the schema."""

from datetime import datetime
from typing import Any

from lms_graphql.accounts import roles
from lms_graphql.accounts.policies import is_self
from lms_graphql.core.actor import Actor, Role
from lms_graphql.graph.describing import described, expose, object_type, resolver
from lms_graphql.graph.node import Node
from lms_graphql.graph.permissions import Door, door

expose(
    Role,
    "What someone is here to do.",
    SUPER_ADMIN="Looks after the platform and may do everything.",
    INSTRUCTOR="Writes courses, and may learn as well.",
    LEARNER="Enrolls and learns.",
)


class IsSelf(Door):
    """The person, or a super admin."""

    def admits(self, actor: Actor, source: Any) -> bool:
        return is_self(actor, source.key)


def own(description: str) -> Any:
    return described(f"(self) {description}", extensions=[door(IsSelf)])


@object_type
class User(Node):
    """A person. Fields marked (self) are for the person and super admins; anyone else gets null and FORBIDDEN."""

    username: str = described("The name to mention them by, unique without case.")
    first_name: str = described("Given name.")
    last_name: str = described("Family name.")
    full_name: str = described('First and last name; "Deleted user" for an account that was deleted.')
    role: Role = described("What they are here to do.")
    bio: str | None = described("What they say of themselves.")
    profile_image_url: str | None = described("Where their picture is.")
    created_at: datetime = described("When they registered.")
    email: str | None = own("Where mail reaches them.")
    is_active: bool | None = own("False while suspended.")
    is_email_verified: bool | None = own("Whether the address was shown to be theirs.")
    last_login_at: datetime | None = own("When they last signed in.")

    @resolver(extensions=[door(IsSelf)])
    def permissions(self) -> list[str] | None:
        """(self) What the role allows, as `area:action` strings, e.g. `course:create`."""
        return sorted(roles.PERMISSIONS[self.role])
