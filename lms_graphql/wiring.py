"""Where upper floors fill the openings that lower ones declare: all of them, in this one place."""

from lms_graphql.accounts import openings as accounts
from lms_graphql.accounts.service import letters, recovering, registering
from lms_graphql.catalog import policies as catalog
from lms_graphql.learning.service import certifying
from lms_graphql.learning.service import letters as learning
from lms_graphql.mail.openings import writers


def connect() -> None:
    """Once a process, before anything is asked."""
    if not accounts.publicly_known:
        accounts.publicly_known.append(catalog.taught_in_public)
    writers[registering.VERIFY_EMAIL] = letters.verify_email
    writers[recovering.RESET_PASSWORD] = letters.reset_password
    writers[recovering.PASSWORD_CHANGED] = letters.password_changed
    writers[certifying.CERTIFICATE_ISSUED] = learning.certificate_issued
