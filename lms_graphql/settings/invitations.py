"""Settings of invitations into courses."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class InvitationSettings(BaseModel):
    """The part of the settings that limits invitations."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    invitation_days: Annotated[int, Field(ge=1, le=365)] = 30
    """Days after the mail within which an invitation can be accepted."""
    invitations_per_course: Annotated[int, Field(ge=1, le=1_000_000)] = 1_000
    """Invitations of a course on a day (UTC), repeated ones included."""
