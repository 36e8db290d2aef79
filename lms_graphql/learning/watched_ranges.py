"""What was watched of a lecture: stretches of whole seconds, and the rules for what a player claims.

A stretch is (start, end), the end not included. Kept ones are merged: in order, and no two of them touch.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import chain

SecondsRange = Sequence[int]

MAX_PLAYBACK_RATE = 2
"""Seconds of a lecture that somebody watches in one second."""
GRACE_SECONDS = 10
"""For the network, and for clocks that differ."""
MAX_RANGES = 1_000
"""Of merged stretches: far more than anybody leaves behind who watches."""


def creditable_seconds(since: timedelta) -> int:
    """What a report may claim when so much time has passed since the last one."""
    return GRACE_SECONDS + max(0, int(MAX_PLAYBACK_RATE * since.total_seconds()))


def clip(claimed: Iterable[SecondsRange], length: int, most: int) -> list[list[int]]:
    """To the lecture, and to so many seconds altogether: what comes first counts first."""
    left, kept = most, []
    for stretch in claimed:
        start, end = max(0, stretch[0]), min(length, stretch[1])
        end = min(end, start + left)
        if start < end:
            kept.append([start, end])
            left -= end - start
    return kept


def merge(*several: Iterable[SecondsRange]) -> list[list[int]]:
    merged: list[list[int]] = []
    for start, end in sorted((stretch[0], stretch[1]) for stretch in chain(*several)):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return merged


def add_ranges(kept: Sequence[SecondsRange], claimed: Sequence[SecondsRange]) -> list[list[int]]:
    """
    What is kept from now on. Where claims would leave it in more pieces than `MAX_RANGES`, it stays as it is: nobody
    who watches does that, and each report would take longer than the one before.
    """
    merged = merge(kept, claimed)
    return merged if len(merged) <= max(MAX_RANGES, len(kept)) else merge(kept)


def total_seconds(stretches: Iterable[SecondsRange]) -> int:
    """Of merged ones."""
    return sum(end - start for start, end in stretches)


def is_watched(stretches: Iterable[SecondsRange], length: int, percent: int) -> bool:
    """Whether so much of a lecture is in these merged stretches. One of no length is never watched."""
    within = total_seconds([start, min(end, length)] for start, end in stretches if start < length)
    return length > 0 and within * 100 >= percent * length
