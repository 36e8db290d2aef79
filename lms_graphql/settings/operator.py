"""Settings of the operator of the platform: the seller on receipts, and the recipient of bank transfers."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import NoDecode

from lms_graphql.settings import validation

MAX_LINES, MAX_LINE_LENGTH = 8, 80

PrintedLine = Annotated[str, Field(max_length=MAX_LINE_LENGTH), AfterValidator(validation.printed_line)]
PrintedLines = Annotated[tuple[PrintedLine, ...], Field(max_length=MAX_LINES), NoDecode]


class OperatorSettings(BaseModel):
    """The part of the settings that describes the operator."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    operator_name: (
        Annotated[str, Field(max_length=MAX_LINE_LENGTH), AfterValidator(validation.printed_line)] | None
    ) = None
    """Name of the seller on receipts and payout statements, such as a company; `LMS_SITE_NAME` if unset."""
    operator_address: PrintedLines = ()
    """
    Postal address of the seller on receipts and payout statements. Its lines are separated by semicolons: at most 8,
    each of at most 80 characters.
    """
    operator_tax_note: PrintedLines = ()
    """
    Note that tax law requires on receipts: a VAT number, or the reason why no tax is charged. Lines as in
    `LMS_OPERATOR_ADDRESS`.
    """
    bank_account: PrintedLines = ()
    """
    Account to which buyers transfer money: its holder, IBAN, BIC and the like, in the mail with the transfer
    instructions. Lines as in `LMS_OPERATOR_ADDRESS`. If unset, the mail says to ask for the account.
    """

    split_lines = field_validator("operator_address", "operator_tax_note", "bank_account", mode="before")(
        validation.split_lines
    )
