"""A client for mutations of invitations, and the documents that read them."""

from typing import Any, ClassVar

from tests.mail_servers import Mailbox
from tests.mutation_client import MutationClient

INVITATION = "id email status accessExpiresAt createdAt expiresAt course { title } enrollment { id source }"
COURSE_INVITATIONS = (
    """
query C($id: ID!, $status: InvitationStatus, $first: Int, $after: String, $last: Int, $before: String) {
  node(id: $id) { ... on Course {
    invitations(status: $status, first: $first, after: $after, last: $last, before: $before) {
      totalCount nodes { ...Fields } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  } }
}
"""
    + f"fragment Fields on Invitation {{ {INVITATION} }}"
)
LINK_PATH = "/invitations"


class InvitationClient(MutationClient):
    """One actor's mutations of invitations."""

    documents: ClassVar[dict[str, tuple[str, str]]] = {
        "inviteLearners": ("InviteLearnersInput", f"invitations {{ {INVITATION} }}"),
        "acceptInvitation": ("AcceptInvitationInput", "enrollment { id status source accessExpiresAt }"),
        "cancelInvitation": ("InvitationIdInput", f"invitation {{ {INVITATION} }}"),
    }

    def invite(self, course_id: str, *emails: str, **input: Any) -> list[Any]:
        """Return the invitations of these addresses."""
        invitations: list[Any] = self.ok("inviteLearners", courseId=course_id, emails=list(emails), **input)
        return invitations

    def invite_errors(self, course_id: str, *emails: str, **input: Any) -> list[tuple[str, list[str]]]:
        """Return code and path of each error. The path begins below "input"."""
        payload = self.payload("inviteLearners", courseId=course_id, emails=list(emails), **input)
        assert payload["invitations"] == []
        return [(error["code"], error["path"][1:]) for error in payload["errors"]]

    def listed(self, course_id: str, **arguments: Any) -> Any:
        """Return the course's invitations."""
        return self._client.execute(COURSE_INVITATIONS, as_=self.actor, id=course_id, **arguments)["node"][
            "invitations"
        ]


def mailed_token(mailbox: Mailbox, email: str) -> str:
    return mailbox.token_sent_to(email, LINK_PATH)
