"""Settings of server processes: their threads and CPUs."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from lms_graphql.core.cpu_affinity import CpuAffinityChoice


class ProcessSettings(BaseModel):
    """The part of the settings that describes a server process."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    worker_threads: Annotated[int, Field(ge=1, le=100)] = 4
    """
    Threads of a process that read, and as many that write; never more than `LMS_POOL_SIZE`. Half as many read for
    large queries. Each reading thread has a connection of its own.
    """
    cpu_affinity: CpuAffinityChoice = CpuAffinityChoice.AUTO
    """
    `auto` keeps the threads of a process together on one CPU, which the scheduler chooses every 2 seconds.
    That halves the CPU time of many requests. Passwords are hashed on all CPUs. `off` leaves the threads alone. On
    Linux only.
    """
