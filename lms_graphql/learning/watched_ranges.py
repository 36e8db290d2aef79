"""Watched time of a lecture: ranges of whole seconds, and limits on what a player may claim.

A range is (start, end), without the end. Stored ranges are merged: they are sorted, and no two overlap or touch.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import chain

SecondsRange = Sequence[int]

MAX_PLAYBACK_RATE = 2
"""Seconds of a lecture that can be watched in one second."""
GRACE_SECONDS = 10
"""Seconds credited in addition, because of network delays and clocks that differ."""
MAX_RANGES = 1_000
"""Merged ranges stored for a lecture. People who watch leave far fewer."""


def creditable_seconds(elapsed: timedelta) -> int:
    """Return how many seconds a report may claim if so much time has passed since the last report."""
    return GRACE_SECONDS + max(0, int(MAX_PLAYBACK_RATE * elapsed.total_seconds()))


def clip(claimed: Iterable[SecondsRange], duration: int, limit: int) -> list[list[int]]:
    """Return the ranges clipped to the lecture and to `limit` seconds in total. Earlier ranges take precedence."""
    remaining, clipped = limit, []
    for claimed_range in claimed:
        start, end = max(0, claimed_range[0]), min(duration, claimed_range[1])
        end = min(end, start + remaining)
        if start < end:
            clipped.append([start, end])
            remaining -= end - start
    return clipped


def merge(*range_lists: Iterable[SecondsRange]) -> list[list[int]]:
    merged: list[list[int]] = []
    for start, end in sorted((seconds_range[0], seconds_range[1]) for seconds_range in chain(*range_lists)):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return merged


def add_ranges(stored: Sequence[SecondsRange], claimed: Sequence[SecondsRange]) -> list[list[int]]:
    """Return the ranges to store from now on.

    Claims that would split them into more than `MAX_RANGES` pieces are ignored. People who watch never do that, and
    each such report would take longer than the one before.
    """
    merged = merge(stored, claimed)
    return merged if len(merged) <= max(MAX_RANGES, len(stored)) else merge(stored)


def total_seconds(merged: Iterable[SecondsRange]) -> int:
    """Return the total length of merged ranges."""
    return sum(end - start for start, end in merged)


def is_watched(merged: Iterable[SecondsRange], duration: int, percent: int) -> bool:
    """Return whether merged ranges cover this share of a lecture. A lecture without duration is never watched."""
    seconds = total_seconds([start, min(end, duration)] for start, end in merged if start < duration)
    return duration > 0 and seconds * 100 >= percent * duration
