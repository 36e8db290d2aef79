"""Pictures, videos and files of the demo data: paths of files that the service itself serves.

They are paths without a host, because the data must not depend on where the service listens.
"""

from zlib import crc32

PATH = "/demo"
PICTURES = 8
"""Number of pictures of courses, and of people."""

VIDEO = f"{PATH}/video.mp4"
"""A still picture of 25 minutes, so that each lecture's duration can be played."""
HANDOUT = f"{PATH}/handout.pdf"


def course_picture(slug: str) -> str:
    return f"{PATH}/course-{_number(slug)}.svg"


def profile_picture(username: str) -> str:
    return f"{PATH}/person-{_number(username)}.svg"


def _number(name: str) -> int:
    """Return the number of a picture, the same one each time for a name."""
    return crc32(name.encode()) % PICTURES + 1
