"""A random sample of the comments that is spread over their time and source, with the size of each stratum.

Two passes, in memory that grows with the sample and the number of days and sources, not with the comments.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from heapq import heapify, heappop, heappush, heapreplace
from typing import Any
from zoneinfo import ZoneInfo

SLICES = 6  # of time, about alike in comments
SOURCES = 3  # the largest; the others are one stratum
UNDATED, OTHERS, WHOLE = "undated", "other sources", "all"
Batches = Callable[[], Iterable[Any]]
Same = Callable[[str, str], str]  # (key, text) -> the group of duplicates


@dataclass(frozen=True, order=True)
class SampledComment:
    """One comment of a sample. stratum: its name, "FIRST DAY .. LAST DAY | SOURCE"."""

    stratum: str
    text: str
    key: str
    id: str


@dataclass(frozen=True)
class StratifiedSample:
    """rows: in an order of which any beginning is a stratified sample, too. totals: stratum -> comments that could be
    sampled. left_out: reason -> comments; of duplicates only those of a sampled comment."""

    rows: list[SampledComment]
    totals: dict[str, int]
    left_out: dict[str, int] = field(default_factory=dict)


def stratified_sample(
    batches: Batches,
    size: int,
    seed: int,
    timezone: str,
    *,
    same: Same | None = None,
    wanted: Callable[[str], bool] = lambda text: True,
    without: Collection[str] = (),
    spread: bool = True,
) -> StratifiedSample:
    """`size` comments, or all where there are fewer, allotted to strata in proportion and random within each.

    batches: called twice, gives the record batches of comment_stream. timezone: of the days. same: (key, text) -> the
    group of duplicates; one comment of a group is sampled, the first in the alphabet. None: every comment of a stratum
    has the same chance, so that a text posted ten times has ten, and may be sampled several times. wanted: of a text;
    others are left out and counted. without: keys, or groups, left out. spread: over time and source; else there is
    one stratum. A comment's rank in its stratum is a hash of the seed and its id (or group), so the order of files does
    not matter, but for a group in several strata: it is sampled from the first. Strata get their places one by one by
    the method of equal proportions (Huntington 1928): every stratum has one before any has two, and a larger sample
    begins with the smaller one.
    """
    zone = ZoneInfo(timezone)
    stratum_of = _strata(batches(), zone) if spread else lambda day, source: WHOLE
    heaps: dict[str, list[tuple[int, str]]] = {}  # by stratum, the `size` smallest ranks, negated, largest first
    held: dict[str, SampledComment] = {}  # the comments of the heaps
    totals, left_out = Counter[str](), Counter[str]()
    for number, (day, source, identity, key, text) in enumerate(_rows(batches(), zone)):
        name = f"{identity}#{number}" if same is None else same(key, text)
        if key in without or name in without or size < 1:
            continue
        if not wanted(text):
            left_out["other language"] += 1
            continue
        stratum = stratum_of(day, source)
        totals[stratum] += 1
        if name in held:
            left_out["duplicate"] += 1
            held[name] = min(held[name], SampledComment(held[name].stratum, text, key, identity))
            continue
        heap = heaps.setdefault(stratum, [])
        ranked = f"{seed}|{identity if same is None else name}"
        entry = (-int.from_bytes(blake2b(ranked.encode(), digest_size=8).digest()), name)
        if len(heap) < size:
            heappush(heap, entry)
        elif entry > heap[0]:
            del held[heapreplace(heap, entry)[1]]
        else:
            continue
        held[name] = SampledComment(stratum, text, key, identity)
    ordered = {name: [held[entry[1]] for entry in sorted(heap, reverse=True)] for name, heap in heaps.items()}
    return StratifiedSample(list(_seated(ordered, totals, size)), dict(totals), dict(left_out))


def _seated(rows: dict[str, list[SampledComment]], totals: Counter[str], size: int) -> Iterator[SampledComment]:
    """Rows in the order in which strata get places: the first at once, each further one by total / √(n(n + 1))."""
    queue = [(-math.inf, -totals[name], name, 0) for name in rows]
    heapify(queue)
    for _ in range(size):
        if not queue:
            return
        _, total, name, taken = heappop(queue)
        yield rows[name][taken]
        if taken + 1 < len(rows[name]):
            heappush(queue, (total / math.sqrt((taken + 1) * (taken + 2)), total, name, taken + 1))


def _strata(batches: Iterable[Any], zone: ZoneInfo) -> Callable[[date | None, str], str]:
    """Which stratum a day and a source belong to, from how many comments each has."""
    days, sources = Counter[date](), Counter[str]()
    for day, source, *_ in _rows(batches, zone):
        sources[source] += 1
        if day is not None:
            days[day] += 1
    slice_of = _slices(days)
    largest = {name for name, _ in sorted(sources.items(), key=lambda item: (-item[1], item[0]))[:SOURCES]}

    def stratum(day: date | None, source: str) -> str:
        time = UNDATED if day is None else slice_of[day]
        return f"{time} | {source if source in largest else OTHERS}"

    return stratum


def _slices(days: Counter[date]) -> dict[date, str]:
    """Day -> name of its slice: days in their order, cut where another SLICES-th of the comments is reached."""
    number, before, total = dict[date, int](), 0, sum(days.values())
    for day in sorted(days):
        number[day] = min(before * SLICES // total, SLICES - 1)
        before += days[day]
    first = {at: day for day, at in reversed(number.items())}
    last = {at: day for day, at in number.items()}
    return {day: f"{first[at]} .. {last[at]}" for day, at in number.items()}


def _rows(batches: Iterable[Any], zone: ZoneInfo) -> Iterator[tuple[date | None, str, str, str, str]]:
    """(day, source, id, key, text) of each comment; a comment without a source has its file as one."""
    for batch in batches:
        columns = [batch.column(name).to_pylist() for name in ("time", "source", "file", "id", "key", "text")]
        for time, source, file, identity, key, text in zip(*columns, strict=True):
            day = None if time is None else time.astimezone(zone).date()
            yield day, source or f"file {file}", identity, key, text
