"""A Network and its state as arrays of records, for the compiled engine: what `views` are to the SimPy engine.

A record is a row with named fields, so that compiled code reads like the plain one: `unit.in_use += 1`. The books of a
unit, class or lane stand in its record, beside its state. Patients and visits lie in pools of reused rows. Lists of any
length lie in two flat arrays, `ints` and `floats`; a record keeps where its own begin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowsim.engine.jit import config
from flowsim.engine.ledger import BOOKS, Row, rows_of, sites_of
from flowsim.engine.loops import loops
from flowsim.engine.network import Change, Choice, Ints, Network, StreamKind
from flowsim.engine.tables import LINE_BYTES, Tables, rows_of_zeros
from flowsim.engine.visits import COLUMNS

Records = Any
"""An array of records: numpy's types cannot say which fields it has."""

SHORT = "i8" if config.DISABLE_JIT else "i4"
"""Numbers of rows. Compiled code reads them as 64 bits; in plain Python numpy would reckon with 32, and overflow."""
NOT_RUNNING = -(1 << 62)
"""In the place of a clock's start."""
BATCH = 16
"""Candidates of a layer drawn at a time."""
SPARE = 64
"""Rows kept for what one event may yet need when it is noticed that room is short."""
PAGE_ROWS = 1 << 15
LOG_ROWS = 1 << 13
FIRST_ROWS = 1 << 10
"""Rows for patients, visits and events to begin with; they double when they run out."""


def _books(row: Row) -> list[tuple[str, str]]:
    return [(book.name, "i8") for book in BOOKS if book.row == row]


def _type(*fields: tuple[str, str]) -> np.dtype[Any]:
    """A record whose fields lie as a processor likes them; above 32 bytes it fills whole lines of memory (64 bytes)."""
    kind = np.dtype(list(fields), align=True)
    if kind.itemsize <= 32:
        return kind
    places = [kind.fields[name][1] for name in kind.names] if kind.fields and kind.names else []
    return np.dtype(
        {"names": [name for name, _ in fields], "formats": [form for _, form in fields], "offsets": places,
         "itemsize": -(-kind.itemsize // LINE_BYTES) * LINE_BYTES}
    )  # fmt: skip


def _short(*names: str) -> list[tuple[str, str]]:
    return [(name, SHORT) for name in names]


def _long(*names: str) -> list[tuple[str, str]]:
    return [(name, "i8") for name in names]


UNIT = _type(
    *_short(
        "kind", "pool", "site", "is_open", "next_change", "last_change", "session", "last_session", "block_first",
        "block_last", "follows_response", "is_live", "has_sessions",
    ),
    ("stay_factor", "f8"), ("response_factor", "f8"),
    *_long("in_use", "capacity", "serving", "held", "planned", "factor", "left"), *_books(Row.UNIT),
    *_long("in_use_ms_before", "available_ms_before"),
)  # fmt: skip
LINE = _type(
    *_short(
        "pool", "own", "priority", "preempts", "lane_first", "lane_last", "later_first", "later_last", "head", "tail",
    ),
    *_long("count"), *_books(Row.CLASS), *_long("queue_ms_before", "wait_ms_before"),
)  # fmt: skip
LANE = _type(*_short("unit", "line"), *_long("after"), *_books(Row.LANE), *_long("starts_before"))
POOL = _type(*_short("line_first", "line_last", "preempts", "is_touched", "served", "newcomer"), *_long("waiting"))
STEP = _type(
    *_short(
        "pathway", "setting", "choice", "choice_first", "class_row", "levels", "priority_by", "stay_family",
        "stay_first", "stay_by", "stay_scale", "patience_family", "patience_first", "patience_by", "patience_scale",
        "patience_to", "limit_to", "divert_first", "round_kind", "round_first", "round_last", "hold_first", "hold_last",
        "keeps", "cause", "is_conditional", "route_by", "route_row", "moves", "shift_first", "shift_last", "counter",
        "shift_counter", "ticks", "clocks", "has_share",
    ),
    *_long("word", "limit", "divert_at"), ("response_factor", "f8"), ("share", "f8"),
)  # fmt: skip
STREAM = _type(
    *_short("kind", "pathway", "step", "place", "mix", "listed_first", "listed_last", "listed_unit"),
    *_short("clock_first", "clock_last", "group_first", "group_last", "follows_response"),
    *_long("key"), *_books(Row.STREAM),
)  # fmt: skip
OFFER = _type(
    *_short("stream", "layer", "age", "segment", "week", "year", "day", "pieces", "ratio"),
    *_short("batch", "batch_end", "kept"),
    *_long("index", "at", "until", "luck_until"), ("profile", "f8"), ("gap", "f8"),
)  # fmt: skip
BLOCK = _type(*_long("key", "count"), *_books(Row.BLOCK))
CLOCK = _type(*_short("slot"), *_long("standard"), *_books(Row.CLOCK))
RESPONSE = _type(
    *_short("follows", "unit_first", "unit_last", "line_first", "line_last", "days", "changes", "target"),
    *_short("point_first", "point_last", "sums", "kept", "newest"),
)
PATIENT = _type(
    *_long("number", "instant"),
    ("first_stay", "f8"),
    *_short("visit", "held", "age", "place", "area_row", "site", "asked_site", "visits", "joins", "running"),
)
"""`running` clocks; `visits` so far, 0 where nobody is: who is in the model has joined somewhere."""
VISIT = _type(
    *_long("joined", "queued", "segment"),
    *_short("patient", "step", "line", "lane", "next", "previous", "stamp", "is_waiting", "occurrence", "next_held"),
    *_long("ready", "started", "ended", "remaining", "blocked_since", "blocked_ms"),
    *_short("number", "blocked_row", "next_newcomer"),
)
EVENT = _type(*_long("at", "what", "who"), *_short("slot", "stamp"))
RUN = _type(
    *_long("now", "horizon", "replication", "events", "entered", "inside", "heap_size", "has_hole", "touched"),
    *_long("free_patient", "patients", "free_visit", "visits", "most_held", "letting_in", "check_due", "day", "period"),
    *_long("closing_book", "closing_row", "page_rows", "log_rows", "is_logged", "stuck_step"),
    *_long("is_short", "spare", "next_pause"),
    *_long("week_offset", "ages", "area_size", "steps", "mark_count", "note_width", "clock_width"),
    *_long("needs", "segments", "segment_starts", "months", "month_starts", "month_of_year", "day_starts"),
    *_long("period_starts", "closes_month", "wait_bins", "area_wait_ms", "area_wait_bins", "moves", "clock_bins"),
    *_long("clock_met", "clock_missed", "clock_site_met", "clock_site_missed", "site_size"),
    *_long("listed_at", "listed_marks", "listed_stream", "first_inside", "first_waiting", "last_waiting"),
    *_long("counted", "areas", "causes"),
    *_long("groups", "row_first", "row_to", "row_cumulative", "share_first", "share_unit", "share_cumulative"),
    *_long("capacity_at", "capacity_beds", "capacity_later", "session_open", "session_close", "session_slots"),
    *_long("shift_to", "shift_start", "shift_ramp", "shift_ages", "shift_places", "places", "shift_share", "points"),
    *_books(Row.RUN),
)  # fmt: skip


INTEGER, FLOAT, NOTE = np.dtype(np.int64), np.dtype(np.float64), np.dtype(SHORT)
PAGE = np.dtype(_long("period", "book", "row", "value"))
LOG = np.dtype(_long(*COLUMNS))
CLOSING = _type(*_long("first", "stride", "rows", "level", "before", "by_month"))
"""How a book is closed: its first row in `City.memory` and the way to the next; where the level of an integral stands
(ABOVE_CAPACITY, or NO_LEVEL if it is none) and the sum of earlier periods (or -1), both beside the first row."""


class City(Tables):
    """Everything one run works on: the Network and what happens to it."""

    run: Records  # one record: the clock, counters, and where the flat lists begin
    units: Records
    lines: Records  # the classes of patients
    lanes: Records
    blocks: Records
    streams: Records
    clocks: Records
    pools: Records
    steps: Records
    offers: Records  # layers of candidates, and lists of arrivals
    responses: Records
    ints: Any
    floats: Any
    gaps: Any  # before the next candidates of each layer
    bands: Any  # their age bands
    first_stays: Any  # theirs, before they are scaled, where these are drawn ahead; or -1
    drawn: (
        Any  # what was drawn for them last: uniforms that decide whether they become patients, if `luck_until` says so
    )
    sums: Any  # of the last days, for responses
    memory: Any  # of all records with books, then the tallies: books with many rows
    closing: Records  # one record a book
    touched: Any  # pools that may let somebody in, the first to do so last
    page: Records  # rows of the ledger on their way out
    log: Records  # rows of the visit log on their way out
    patients: Records
    notes: Any  # for each patient: marks of groups, then how often at steps that may come again
    starts: Any  # for each patient: when its clocks started
    visits: Records
    heap: Records  # events to come

    shared = frozenset({"memory"})
    kinds = {  # noqa: RUF012
        "run": RUN, "units": UNIT, "lines": LINE, "lanes": LANE, "blocks": BLOCK, "streams": STREAM, "clocks": CLOCK,
        "pools": POOL, "steps": STEP, "offers": OFFER, "responses": RESPONSE, "ints": INTEGER, "floats": FLOAT,
        "gaps": INTEGER, "bands": NOTE, "first_stays": FLOAT, "drawn": FLOAT, "sums": INTEGER, "memory": INTEGER,
        "closing": CLOSING, "touched": INTEGER, "page": PAGE, "log": LOG, "patients": PATIENT, "notes": NOTE,
        "starts": INTEGER, "visits": VISIT, "heap": EVENT,
    }  # fmt: skip


KEEPERS = {Row.UNIT: "units", Row.CLASS: "lines", Row.LANE: "lanes", Row.BLOCK: "blocks", Row.STREAM: "streams",
           Row.CLOCK: "clocks", Row.RUN: "run"}  # fmt: skip
"""The records in which books stand, by what the rows of the book are."""
NO_LEVEL, ABOVE_CAPACITY = -1, -2
LEVELS = {
    "in_use_ms": "in_use", "available_ms": "capacity", "over_ms": "", "held_ms": "held", "blocked_ms": "count",
    "queue_ms": "count",
}  # fmt: skip
"""What each integral over time rises by."""


class _Flat:
    """Lists of any length, one after the other."""

    def __init__(self) -> None:
        self.parts: list[NDArray[Any]] = []
        self.size = 0

    def add(self, values: Any) -> int:
        """Where the list begins."""
        part = np.asarray(values).reshape(-1)
        self.parts.append(part)
        self.size += len(part)
        return self.size - len(part)

    def array(self, kind: type) -> NDArray[Any]:
        return np.concatenate([*self.parts, np.zeros(1, kind)]).astype(kind)


def city_of(n: Network, keys: Sequence[int], replication: int, is_logged: bool) -> City:
    """A Network as records, at time 0 with nobody in it."""
    ints, floats = _Flat(), _Flat()
    run = np.zeros(1, RUN)
    r = run[0]
    r["horizon"], r["replication"], r["week_offset"] = n.horizon_ms, replication, n.week_offset_ms
    r["ages"], r["area_size"], r["steps"] = n.counts[7], n.counts[6] * n.counts[7], len(n.step_word)
    r["site_size"], r["places"] = sites_of(n) + 1, len(n.place_area)
    r["mark_count"], r["is_logged"] = n.mark_count, is_logged
    pathways = int(max(n.step_pathway.max(initial=-1), n.stream_pathway.max(initial=-1))) + 1
    r["free_patient"] = r["free_visit"] = r["letting_in"] = r["stuck_step"] = r["closing_book"] = -1
    r["day"] = 1
    r["segments"], r["months"] = len(n.segment_starts), len(n.month_starts)
    r["areas"] = ints.add(n.place_area)
    r["groups"] = ints.add(np.stack([n.group_by, n.group_row, n.group_word], axis=1))
    for name in (
        "day_starts", "period_starts", "segment_starts", "month_starts", "month_of_year", "row_first", "row_to",
        "share_first", "share_unit", "capacity_at", "capacity_beds", "capacity_later", "session_open", "session_close",
        "session_slots", "shift_to", "shift_start", "shift_ramp", "shift_ages", "shift_places", "listed_at",
        "listed_marks",
    ):  # fmt: skip
        r[name] = ints.add(getattr(n, name))
    r["closes_month"] = ints.add(n.period_closes_month)
    stream = np.repeat(np.arange(len(n.stream_kind)), np.diff(n.listed_first))
    r["listed_stream"] = ints.add(stream)
    kind, by_joining = n.stream_kind[stream], np.argsort(n.listed_at, kind="stable")
    r["first_inside"] = ints.add(np.flatnonzero(kind == StreamKind.INSIDE))
    # Each goes to the end of its queue then, and the place of none has to be searched for.
    r["first_waiting"] = ints.add(by_joining[kind[by_joining] == StreamKind.WAITING])
    r["last_waiting"] = ints.size
    for name in ("row_cumulative", "share_cumulative", "shift_share"):
        r[name] = floats.add(getattr(n, name))
    r["needs"] = floats.add(np.ones(pathways))

    units = _units(n)
    lines, lanes, pools = _queues(n, ints)
    # One who joins a queue posts a START for each wait after which another unit may be used.
    r["spare"] = SPARE + (lines["later_last"] - lines["later_first"]).max(initial=0)
    clock_slot, pathway_clocks, r["clock_width"] = _clock_slots(n, pathways)
    steps, r["note_width"] = _steps(n, ints, floats)
    streams, offers = _streams(n, keys, ints, floats, pathway_clocks)
    blocks = np.zeros(len(n.block_unit), BLOCK)
    r["causes"] = max(int(n.counts[8]), 1)
    blocks["key"] = n.block_awaited * r["causes"] + n.block_cause
    clocks = np.zeros(len(n.clock_standard), CLOCK)
    clocks["standard"], clocks["slot"] = n.clock_standard, clock_slot
    responses, sums = _responses(n, ints)
    r["points"] = floats.add(np.stack([n.response_x, n.response_y], axis=1))

    keepers = {
        "units": units, "lines": lines, "lanes": lanes, "blocks": blocks, "streams": streams, "clocks": clocks,
        "run": run,
    }  # fmt: skip
    people = int(sum(np.diff(n.listed_first)[n.stream_kind >= StreamKind.INSIDE]))
    rows = FIRST_ROWS + 2 * people
    return City(
        _with_books(n, keepers) | {
            "pools": pools, "steps": steps, "offers": offers, "gaps": np.zeros(BATCH * len(offers), np.int64),
            "bands": np.zeros(BATCH * len(offers), NOTE),
            "first_stays": np.full(BATCH * len(offers), -1.0),
            "drawn": np.zeros(BATCH * len(offers)), "responses": responses, "ints": ints.array(np.int64),
            "floats": floats.array(np.float64), "sums": sums, "touched": np.zeros(len(pools) + 1, np.int64),
            "page": np.zeros(PAGE_ROWS, PAGE), "log": np.zeros(LOG_ROWS if is_logged else 1, LOG),
            "patients": rows_of_zeros(rows, PATIENT), "notes": np.zeros(rows * int(r["note_width"]), NOTE),
            "starts": np.zeros(rows * int(r["clock_width"]), np.int64), "visits": rows_of_zeros(rows, VISIT),
            "heap": rows_of_zeros(4 * rows + len(offers) + 2 * len(units), EVENT),
        }
    )  # fmt: skip


def _with_books(n: Network, keepers: dict[str, Records]) -> dict[str, Records]:
    """The keepers of books as parts of one memory with the tallies, and how each book is closed."""
    memory, first, size = [], {}, 0
    for name, records in keepers.items():
        memory.append(records.view(np.int64))
        first[name] = size
        size += len(memory[-1])
    places = {
        name: {field: first[name] + at // 8 for field, (_, at, *_) in records.dtype.fields.items()}
        for name, records in keepers.items()
    }
    closing = np.zeros(len(BOOKS), CLOSING)
    for book, how in zip(BOOKS, closing, strict=True):
        rows = rows_of(n, book.row)
        how["rows"], how["by_month"], how["level"], how["before"] = rows, book.by_month, NO_LEVEL, -1
        if book.row in KEEPERS:
            name = KEEPERS[book.row]
            place = places[name]
            how["first"], how["stride"] = place[book.name], keepers[name].dtype.itemsize // 8
            how["before"] = place.get(f"{book.name}_before", -1)
            if book.name in LEVELS:
                how["level"] = place[LEVELS[book.name]] if LEVELS[book.name] else ABOVE_CAPACITY
        else:
            how["first"], how["stride"] = size, 1
            keepers["run"][0][book.name] = size
            size += rows
    whole = rows_of_zeros(size + 1, np.dtype(np.int64))
    parts = {}
    for (name, records), part in zip(keepers.items(), memory, strict=True):
        whole[first[name] : first[name] + len(part)] = part
        parts[name] = whole[first[name] : first[name] + len(part)].view(records.dtype)
    return parts | {"memory": whole, "closing": closing}


def _units(n: Network) -> Records:
    units = np.zeros(len(n.unit_kind), UNIT)
    for name in ("kind", "pool", "site", "stay_factor"):
        units[name] = getattr(n, f"unit_{name}")
    units["factor"], units["response_factor"] = 1000, 1.0
    units["next_change"], units["last_change"] = n.capacity_first[:-1], n.capacity_first[1:]
    units["session"], units["last_session"] = n.session_first[:-1], n.session_first[1:]
    units["has_sessions"] = np.diff(n.session_first) > 0
    units["block_first"] = np.searchsorted(n.block_unit, np.arange(len(units)), "left")
    units["block_last"] = np.searchsorted(n.block_unit, np.arange(len(units)), "right")
    units["follows_response"][n.response_target[n.response_changes == Change.CAPACITY]] = 1
    return units


def _queues(n: Network, ints: _Flat) -> tuple[Records, Records, Records]:
    """Lines, their lanes, and pools."""
    lines, lanes = np.zeros(len(n.class_pool), LINE), np.zeros(len(n.lane_unit), LANE)
    for name in ("pool", "own", "priority", "preempts"):
        lines[name] = getattr(n, f"class_{name}")
    lines["head"] = lines["tail"] = -1
    lines["lane_first"], lines["lane_last"] = n.lane_first[:-1], n.lane_first[1:]
    lanes["unit"], lanes["after"] = n.lane_unit, n.lane_after
    lanes["line"] = np.repeat(np.arange(len(lines)), np.diff(n.lane_first))
    lines["later_first"] = lines["later_last"] = ints.size
    not_own = np.setdiff1d(np.flatnonzero(n.lane_after > 0), n.lane_first[:-1])
    for number in np.unique(lanes["line"][not_own]).tolist():
        line = lines[number]
        later = np.unique(n.lane_after[not_own[lanes["line"][not_own] == number]])
        line["later_first"] = ints.add(later)
        line["later_last"] = ints.size
    pools = np.zeros(len(n.pool_first) - 1, POOL)
    pools["served"] = pools["newcomer"] = -1
    members = np.argsort(n.class_pool, kind="stable")
    first = np.searchsorted(n.class_pool[members], np.arange(len(pools) + 1))
    pools["line_first"], pools["line_last"] = ints.add(members) + np.stack([first[:-1], first[1:]])
    pools["preempts"][n.class_pool[np.flatnonzero(n.class_preempts)]] = 1
    return lines, lanes, pools


def _clock_slots(n: Network, pathways: int) -> tuple[list[int], list[list[int]], int]:
    """For each clock its place among those of a patient; for each pathway its clocks; places a patient needs."""
    of_clock: list[set[int]] = [set() for _ in n.clock_standard]
    for first, numbers in ((n.clock_start_first, n.clock_start), (n.clock_stop_first, n.clock_stop)):
        for row in range(len(first) - 1):
            for clock in numbers[first[row] : first[row + 1]]:
                of_clock[clock].add(int(n.step_pathway[row // 5]))
    slots: list[int] = []
    clocks: list[list[int]] = [[] for _ in range(pathways)]
    for clock, of in enumerate(of_clock):
        slots.append(max((len(clocks[p]) for p in of), default=0))
        for p in of:
            clocks[p] += [-1] * (slots[-1] - len(clocks[p])) + [clock]
    return slots, [[c for c in found if c >= 0] for found in clocks], max((len(found) for found in clocks), default=0)


def _steps(n: Network, ints: _Flat, floats: _Flat) -> tuple[Records, int]:
    """Steps, and how many notes a patient needs: marks of groups, then how often at steps that may come again."""
    count = len(n.step_word)
    steps = np.zeros(count, STEP)
    for name in (
        "choice", "priority_by", "stay_by", "patience_by", "patience_to", "limit", "limit_to", "divert_at",
        "round_kind", "cause", "route_by", "route_row",
    ):  # fmt: skip
        steps[name] = getattr(n, name)
    for name in ("pathway", "setting", "word"):
        steps[name] = getattr(n, f"step_{name}")
    steps["levels"], steps["is_conditional"], steps["response_factor"] = n.class_levels, n.conditional, 1.0
    choice_unit, share_row = ints.add(n.choice_unit), ints.add(n.share_row)
    round_ms, hold_step = ints.add(n.round_ms), ints.add(n.hold_step)
    steps["choice_first"] = n.choice_first + np.where(n.choice == Choice.SHARES, share_row, choice_unit)
    steps["class_row"] = n.class_row + ints.add(n.class_of)
    steps["divert_first"] = n.divert_first + ints.add(n.divert_unit)
    steps["round_first"], steps["round_last"] = n.round_first[:-1] + round_ms, n.round_first[1:] + round_ms
    steps["hold_first"], steps["hold_last"] = n.hold_first[:-1] + hold_step, n.hold_first[1:] + hold_step
    steps["keeps"] = ints.add(n.keeps) + np.arange(count) * count
    steps["moves"] = np.arange(count) * (count + 1) + 1
    steps["shift_first"], steps["shift_last"] = n.shift_first[:-1], n.shift_first[1:]
    scales, parameters = floats.add(n.stay_scale), floats.add(n.parameters)
    for what in ("stay", "patience"):
        distribution = getattr(n, f"{what}_distribution")
        steps[f"{what}_family"] = np.where(distribution >= 0, n.family[distribution], -1)
        steps[f"{what}_first"] = n.parameter_first[distribution] + parameters
        steps[f"{what}_scale"] = getattr(n, f"{what}_scale_first") + scales
    stop, start = ints.add(n.clock_stop), ints.add(n.clock_start)
    places = [n.clock_stop_first[:-1] + stop, n.clock_stop_first[1:] + stop]
    places += [n.clock_start_first[:-1] + start, n.clock_start_first[1:] + start]
    steps["clocks"] = ints.add(np.stack(places, axis=1)) + np.arange(count) * 20
    has = (np.diff(n.clock_stop_first) + np.diff(n.clock_start_first) > 0).reshape(count, 5)
    steps["ticks"] = has @ (1 << np.arange(5))

    width = int(n.mark_count) - 2
    comes_again, shifts = loops(n) >= 0, np.diff(n.shift_first) > 0
    for name, counted in (("counter", comes_again), ("shift_counter", shifts)):
        steps[name], first = -1, width
        for pathway in np.unique(n.step_pathway):
            its = counted & (n.step_pathway == pathway)
            steps[name][its] = first + np.arange(its.sum())
            width = max(width, first + int(its.sum()))
    return steps, width


def _wanted_groups(n: Network, pathway: int) -> list[int]:
    """The groups that anything in a pathway depends on: others need not be drawn for its patients."""
    its = n.step_pathway == pathway
    wanted = {int(by) for what in (n.route_by, n.priority_by, n.stay_by, n.patience_by) for by in what[its]}
    for group in reversed(range(len(n.group_by))):  # one may be drawn by another before it
        if group + 2 in wanted:
            wanted.add(int(n.group_by[group]))
    return [group for group in range(len(n.group_by)) if group + 2 in wanted]


def _streams(
    n: Network, keys: Sequence[int], ints: _Flat, floats: _Flat, pathway_clocks: list[list[int]]
) -> tuple[Records, Records]:
    """Streams, and their offers: a layer of candidates or a list of arrivals each."""
    streams, ages = np.zeros(len(n.stream_kind), STREAM), int(n.counts[7])
    for name in ("kind", "pathway", "step", "place"):
        streams[name] = getattr(n, f"stream_{name}")
    streams["key"] = keys
    streams["mix"] = floats.add(n.stream_mix) + np.arange(len(streams)) * ages
    streams["listed_first"], streams["listed_last"] = n.listed_first[:-1], n.listed_first[1:]
    streams["listed_unit"] = n.listed_unit
    needs = set(n.response_target[n.response_changes == Change.NEED].tolist())
    first = [ints.add(clocks) for clocks in pathway_clocks]
    weeks, years, days, ratios = (floats.add(one) for one in (n.week_profile, n.year_profile, n.day_profile, n.ratio))
    streams["follows_response"] = (n.stream_kind == StreamKind.RATE) & np.isin(n.stream_pathway, list(needs))
    for pathway, clocks in enumerate(pathway_clocks):
        its = n.stream_pathway == pathway
        streams["clock_first"][its] = first[pathway]
        streams["clock_last"][its] = first[pathway] + len(clocks)
        groups = _wanted_groups(n, pathway)
        streams["group_first"][its] = ints.add(groups)
        streams["group_last"][its] = ints.size

    layers = np.where(n.stream_kind == StreamKind.RATE, n.stream_layers, n.stream_kind == StreamKind.LISTED)
    number = np.repeat(np.arange(len(streams)), layers)
    offers = np.zeros(len(number), OFFER)
    offers["stream"], offers["layer"] = number, np.arange(len(number)) - (np.cumsum(layers) - layers)[number]
    offers["index"], offers["gap"] = -1, n.stream_gap_ms[number]
    offers["week"], offers["year"] = weeks + 7 * number, years + 12 * number
    offers["day"], offers["pieces"] = days + n.day_profile_first[number], np.diff(n.day_profile_first)[number]
    offers["ratio"] = ratios + n.stream_ratio_first[number]
    offers["batch"], offers["luck_until"] = BATCH * np.arange(len(offers)), -1
    offers["batch_end"] = offers["batch"] + BATCH
    return streams, offers


def _responses(n: Network, ints: _Flat) -> tuple[Records, Ints]:
    """Responses, and room for the sums of the days they look back on, two for each."""
    responses, size = np.zeros(len(n.response_days), RESPONSE), 0
    for name in ("follows", "days", "changes", "target"):
        responses[name] = getattr(n, f"response_{name}")
    responses["point_first"], responses["point_last"] = n.response_point_first[:-1], n.response_point_first[1:]
    for number, response in enumerate(responses):
        units = n.response_units[n.response_unit_first[number] : n.response_unit_first[number + 1]]
        response["unit_first"] = ints.add(units)
        response["unit_last"] = ints.size
        response["line_first"] = ints.add(np.flatnonzero(np.isin(n.class_own, units)))
        response["line_last"] = ints.size
        response["sums"], response["kept"] = size, 1  # the sums of nothing, at time 0
        size += 2 * (int(n.response_days[number]) + 1)
    return responses, np.zeros(size, np.int64)
