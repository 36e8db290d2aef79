"""Composition root: registers the functions of upper layers for the hooks that lower layers declare."""

from lms_graphql.accounts import hooks as accounts_hooks
from lms_graphql.accounts.services import credentials, email_changes, email_templates, registration
from lms_graphql.assessment.reads.lecture_quizzes import attempt_blocker, course_level_quizzes, quiz_problems
from lms_graphql.assessment.reads.passed_quizzes import passed_quizzes
from lms_graphql.assessment.services import lectures
from lms_graphql.assessment.services.deletion import delete_quizzes
from lms_graphql.billing.reads.sale_blockers import pending_sale_blocker, sale_blocker
from lms_graphql.billing.reads.sale_payments import has_paid
from lms_graphql.billing.services import email_templates as billing_templates
from lms_graphql.billing.services import mails as billing_mails
from lms_graphql.catalog import hooks as catalog_hooks
from lms_graphql.catalog import policies as catalog_policies
from lms_graphql.certificates.services import certificates
from lms_graphql.certificates.services import email_templates as certificate_templates
from lms_graphql.discussion import policies as discussion_policies
from lms_graphql.discussion.services import notes
from lms_graphql.discussion.services.deletion import delete_discussions
from lms_graphql.learning import hooks as learning_hooks
from lms_graphql.learning.services import email_templates as learning_templates
from lms_graphql.learning.services import invitations, progress_recount
from lms_graphql.mail.templates import TEMPLATES


def register_hooks() -> None:
    """Register all hooks and mail templates.

    Each process calls it before its first request. Further calls change nothing.
    """
    accounts_hooks.public_user_filters.register(
        catalog_policies.is_public_instructor, discussion_policies.is_public_author
    )
    accounts_hooks.account_erased.register(notes.delete_notes_of_user, invitations.delete_invitations_of_user)
    catalog_hooks.publish_checks.register(quiz_problems)
    catalog_hooks.unpublish_blockers.register(pending_sale_blocker)
    catalog_hooks.delete_blockers.register(attempt_blocker, sale_blocker)
    catalog_hooks.before_deletion.register(delete_quizzes, delete_discussions)
    catalog_hooks.lectures_removed.register(lectures.detach_quizzes)
    catalog_hooks.curriculum_changed.register(progress_recount.recount_after_curriculum_change)
    learning_hooks.course_level_quizzes.register(course_level_quizzes)
    learning_hooks.passed_quizzes.register(passed_quizzes)
    learning_hooks.payment_checks.register(has_paid)
    TEMPLATES[registration.VERIFY_EMAIL_MAIL] = email_templates.verify_email_template
    TEMPLATES[credentials.RESET_PASSWORD_MAIL] = email_templates.reset_password_template
    TEMPLATES[credentials.PASSWORD_CHANGED_MAIL] = email_templates.password_changed_template
    TEMPLATES[email_changes.EMAIL_CHANGE_MAIL] = email_templates.email_change_template
    TEMPLATES[email_changes.EMAIL_CHANGE_NOTICE_MAIL] = email_templates.email_change_notice_template
    TEMPLATES[certificates.CERTIFICATE_ISSUED_MAIL] = certificate_templates.certificate_issued_template
    TEMPLATES[invitations.INVITATION_MAIL] = learning_templates.invitation_template
    TEMPLATES[billing_mails.RECEIPT_MAIL] = billing_templates.receipt_template
    TEMPLATES[billing_mails.REFUND_NOTICE_MAIL] = billing_templates.refund_notice_template
    TEMPLATES[billing_mails.TRANSFER_INSTRUCTIONS_MAIL] = billing_templates.transfer_instructions_template
    TEMPLATES[billing_mails.PAYOUT_STATEMENT_MAIL] = billing_templates.payout_statement_template
