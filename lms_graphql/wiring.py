"""Where upper floors fill the openings that lower ones declare: all of them, in this one place."""

from lms_graphql.accounts import openings as accounts
from lms_graphql.accounts.service import letters, recovering, registering
from lms_graphql.billing.service import keeping as billing
from lms_graphql.catalog import policies as catalog
from lms_graphql.learning import openings as learning
from lms_graphql.mail.openings import writers


def connect() -> None:
    """Once a process, before anything is asked."""
    if not accounts.publicly_known:
        accounts.publicly_known.append(catalog.taught_in_public)
    if not learning.roll_ups:
        learning.roll_ups.append(billing.OF_REVENUE)
    writers[registering.VERIFY_EMAIL] = letters.verify_email
    writers[recovering.RESET_PASSWORD] = letters.reset_password
    writers[recovering.PASSWORD_CHANGED] = letters.password_changed
