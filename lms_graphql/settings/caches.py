"""Settings of caches in the memory of a process."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class CacheSettings(BaseModel):
    """The part of the settings that limits caches."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    tree_cache_bytes: Annotated[int, Field(ge=0, le=100_000_000_000)] = 64_000_000
    """
    Memory of a process for sections and lectures of published courses, which are read again when the course has a new
    version; 0 switches the cache off.
    """
