"""Watched time of a lecture: ranges of whole seconds, and the credit that limits what a player may claim.

A range is (start, end), without the end. Stored ranges are merged: they are sorted, and no two overlap or touch.

Players report fractions of seconds. Both ends of a range are rounded down, so a second counts once its end was
played. A player may cut what it plays into ranges and reports at any instant: no second is lost between two ranges,
and none counts twice. The seconds of an uninterrupted range differ from its length by less than one.

Credit grows by two seconds in each second. It is stored as the instant since which it grows (`credit_since`), so that
no fraction of a second is lost between reports.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from math import floor

SecondsRange = Sequence[int]
PlayedRange = tuple[float, float]
"""A range as a player reports it, with fractions of seconds."""

MAX_PLAYBACK_RATE = 2
"""Seconds of a lecture that can be watched in one second."""
MAX_UNUSED_CREDIT = timedelta(seconds=10)
"""Credit that is there at the start, and that a report may leave to the next one, because networks are slow."""
MIN_SECONDS, MAX_SECONDS = -(2**31), 2**31 - 1
"""Positions that are accepted: those of GraphQL's Int. The highest is stored if the duration is unknown."""
MAX_RANGES = 1_000
"""Merged ranges stored for a lecture. People who watch leave far fewer."""


def first_credit_since(enrolled_at: datetime) -> datetime:
    """Return since when credit grows for a learner who has not reported yet."""
    return enrolled_at - MAX_UNUSED_CREDIT / MAX_PLAYBACK_RATE


def available_credit(credit_since: datetime, now: datetime) -> int:
    """Return how many seconds a report may add now."""
    return max(0, int(MAX_PLAYBACK_RATE * (now - credit_since).total_seconds()))


def credit_since_after(credit_since: datetime, now: datetime, added_seconds: int) -> datetime:
    """Return since when credit grows after a report that added so many seconds.

    An instant in the future, from a machine whose clock was ahead, becomes now.
    """
    used = credit_since + timedelta(seconds=added_seconds) / MAX_PLAYBACK_RATE
    return min(max(used, now - MAX_UNUSED_CREDIT / MAX_PLAYBACK_RATE), now)


def is_position(seconds: float) -> bool:
    """Return whether this is a finite number of seconds that can be stored. Negative ones are clipped later."""
    return MIN_SECONDS <= seconds <= MAX_SECONDS  # false for NaN


def whole_seconds(played: Iterable[PlayedRange]) -> list[list[int]]:
    """Return the ranges with both ends rounded down."""
    return [[floor(start), floor(end)] for start, end in played]


def clip(claimed: Iterable[SecondsRange], duration: int | None) -> list[list[int]]:
    """Return the ranges clipped to the lecture. Its end is unknown if the duration is None."""
    ends = ((start, end if duration is None else min(end, duration)) for start, end in claimed)
    return [[max(0, start), end] for start, end in ends if max(0, start) < end]


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


def add_ranges(stored: Iterable[SecondsRange], claimed: Iterable[SecondsRange], credit: int) -> list[list[int]]:
    """Return the ranges to store from now on: at most `credit` seconds more, those with lower positions first.

    Seconds that are stored already need no credit. So a report may be repeated, and may contain all that was played.

    Claims that would split the ranges into more than `MAX_RANGES` pieces are ignored. People who watch never do that,
    and each such report would take longer than the one before.
    """
    previous, added = merge(stored), list[list[int]]()
    for start, end in _without(merge(previous, claimed), previous):
        credited = min(end - start, credit)
        added.append([start, start + credited])
        credit -= credited
    merged = merge(previous, added)
    return merged if len(merged) <= max(MAX_RANGES, len(previous)) else previous


def _without(merged: Iterable[SecondsRange], part: Sequence[SecondsRange]) -> Iterator[SecondsRange]:
    """Yield what `merged` has in addition to `part`. Both are merged, and `merged` contains `part`."""
    index = 0
    for start, end in merged:
        gap_start = start
        while index < len(part) and part[index][1] <= end:
            yield gap_start, part[index][0]
            gap_start, index = part[index][1], index + 1
        yield gap_start, end


def total_seconds(merged: Iterable[SecondsRange]) -> int:
    """Return the total length of merged ranges."""
    return sum(end - start for start, end in merged)


def is_watched(merged: Iterable[SecondsRange], duration: int, percent: int) -> bool:
    """Return whether merged ranges cover this share of a lecture. A lecture without duration is never watched."""
    seconds = total_seconds([start, min(end, duration)] for start, end in merged if start < duration)
    return duration > 0 and seconds * 100 >= percent * duration
