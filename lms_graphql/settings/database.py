"""Settings of the connections to the database."""

from pydantic import BaseModel, ConfigDict

from lms_graphql.core.mysql_reader_choice import MysqlReaderChoice


class DatabaseSettings(BaseModel):
    """The part of the settings that describes connections to the database."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    mysql_reader: MysqlReaderChoice = MysqlReaderChoice.GENERATED
    """
    Reader of results with the driver PyMySQL. `generated` decodes rows by code that is generated for their columns.
    `pymysql` is PyMySQL's own reader, which needs two to three times as much CPU, in case `generated` has a bug.
    """
