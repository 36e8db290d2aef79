"""Roles: the one table of permissions, each written as `area:action`."""

from lms_graphql.core.actor import Role

LEARNER = frozenset(
    {
        "course:enroll",
        "progress:view-own",
        "note:write",
        "question:ask",
        "quiz:take",
        "certificate:view-own",
        "transaction:view-own",
        "profile:edit",
    }
)
INSTRUCTOR = LEARNER | {
    "course:create",
    "course:edit-own",
    "learner:view-own",
    "question:answer",
    "quiz:create",
    "attempt:grade",
    "enrollment:grant",
    "payout:view-own",
}
SUPER_ADMIN = INSTRUCTOR | {
    "user:manage",
    "application:review",
    "audit:view",
    "category:manage",
    "course:edit-any",
    "course:feature",
    "course:transfer",
    "certificate:revoke",
    "transaction:refund",
    "transaction:confirm",
    "payout:run",
}

PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.LEARNER: LEARNER,
    Role.INSTRUCTOR: INSTRUCTOR,
    Role.SUPER_ADMIN: SUPER_ADMIN,
}


def allows(role: Role, permission: str) -> bool:
    return permission in PERMISSIONS[role]
