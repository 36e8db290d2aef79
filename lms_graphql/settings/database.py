"""Settings of the connections to the database."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict
from sqlalchemy.engine import URL, make_url

from lms_graphql.core.mysql_reader_choice import MysqlReaderChoice
from lms_graphql.settings import validation


class DatabaseSettings(BaseModel):
    """The part of the settings that describes connections to the database."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    read_database_url: Annotated[str, AfterValidator(validation.database_server)] | None = None
    """
    Where `serve` reads, as a SQLAlchemy URL, if not where it writes: a load balancer for all nodes of a Galera
    cluster. The database has the same name there. Never a replica that lags behind.
    """
    mysql_reader: MysqlReaderChoice = MysqlReaderChoice.GENERATED
    """
    Reader of results with the driver PyMySQL. `generated` decodes rows by code that is generated for their columns.
    `pymysql` is PyMySQL's own reader, which needs two to three times as much CPU, in case `generated` has a bug.
    """

    @property
    def read_url(self) -> URL | None:
        """Return the URL of the database for reads, None if it is that for writes."""
        return None if self.read_database_url is None else make_url(self.read_database_url)
