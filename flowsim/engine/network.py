"""The Network: a model as read-only arrays of integers, all that an engine sees; and the Labels that name its rows.

Everything is numbered: units, pools, classes, steps, streams by sorted name or written order (`building` decides).
Times are whole milliseconds from the start of the run. -1 stands for none; as a next step it is leaving the model.
A list of lists is stored flat: row i of `xs` is xs[x_first[i] : x_first[i + 1]].
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LEAVE = -1
"""The step after the last."""


class UnitKind(IntEnum):
    """What makes a unit finite."""

    BEDS = 0  # patients at a time
    SLOTS = 1  # starts in each session
    UNLIMITED = 2  # nothing


class Choice(IntEnum):
    """How a step chooses its unit."""

    BY_PLACE = 0  # one unit for each place of residence (also fixed, nearest, own place)
    SHARES = 1  # drawn by the shares of the place of residence
    SAME_SITE = 2  # the unit at the site the patient is at


class StreamKind(IntEnum):
    """Where the patients of a stream come from."""

    RATE = 0  # a non-homogeneous Poisson process, thinned from candidates
    LISTED = 1  # given times: a timetable or a trace
    INSIDE = 2  # in a unit on the first day
    WAITING = 3  # in a queue on the first day


class Moment(IntEnum):
    """The five moments of a visit."""

    JOINED = 0
    STARTED = 1
    READY = 2
    ENDED = 3
    LEFT = 4


class Follow(IntEnum):
    """What a response looks at."""

    OCCUPANCY = 0  # in use / available, in milliseconds
    MEAN_WAIT = 1  # hours, of those who started
    QUEUE = 2  # mean number waiting


class Change(IntEnum):
    """What a response changes."""

    SHARE = 0  # the first share of a step's routing is set to the value
    STAY = 1  # factor on a step's stay
    NEED = 2  # factor on a stream's rate
    CAPACITY = 3  # factor on a unit's capacity in force, in whole thousandths
    STAY_IN = 4  # factor on every stay that starts in a unit


class Network(NamedTuple):
    """A model as arrays. U units, P pools, C classes, K steps, S streams, A age bands, L places, D distributions."""

    # --- time -------------------------------------------------------------------------------------------------
    horizon_ms: int  # the run is [0, horizon)
    period_starts: Ints  # edges of the ledger's fine periods (days, weeks or months): [0, ..., horizon]
    period_closes_month: Ints  # for each fine period: 1 if the coarse period (month) closes with it
    day_starts: Ints  # midnights [0, ..., horizon]: CLOSE happens at each but the first
    month_starts: (
        Ints  # calendar months for arrivals: ms at which each starts, the first at or before 0, beyond horizon last
    )
    month_of_year: Ints  # 0 to 11 for each of these
    week_offset_ms: int  # milliseconds since Monday 00:00 at time 0

    # --- units and pools --------------------------------------------------------------------------------------
    unit_kind: Ints  # [U] UnitKind
    unit_pool: Ints  # [U]
    unit_setting: Ints  # [U]
    unit_site: Ints  # [U] site, or -1
    unit_stay_factor: Floats  # [U] factor on every stay in this unit
    capacity_first: Ints  # [U + 1] beds: capacity steps
    capacity_at: Ints  # when; the first of each beds unit is 0
    capacity_beds: Ints  # beds from then on
    capacity_later: Ints  # the most beds at any later step on the endless calendar, beyond the horizon too
    session_first: Ints  # [U + 1] slots: sessions [open, close), in order, not overlapping
    session_open: Ints
    session_close: Ints
    session_slots: Ints
    pool_first: Ints  # [P + 1]
    pool_units: Ints  # units of each pool in written order

    # --- classes: patients of one pool who may use the same units in the same order ------------------------------
    class_pool: Ints  # [C]
    class_own: Ints  # [C] own unit
    class_priority: Ints  # [C] lower is sooner
    class_preempts: Ints  # [C] 1 if they may take a served patient's place
    lane_first: Ints  # [C + 1] lanes of each class: the units it may use, own first, then in the order written
    lane_unit: Ints  # [lanes]
    lane_after: Ints  # [lanes] ms of waiting after which it may be used; 0 for the own

    # --- steps ------------------------------------------------------------------------------------------------
    step_pathway: Ints  # [K]
    step_setting: Ints  # [K]
    step_word: Ints  # [K] 32-bit hash of the step's name: its part of a random number's address
    choice: Ints  # [K] Choice
    choice_first: Ints  # [K] BY_PLACE: row of choice_unit for place 0; SAME_SITE: for site 0; SHARES: row of share_row
    choice_unit: Ints  # unit for each place or site, -1 where there is none
    share_row: Ints  # SHARES: row of share_first for each place; places may have one in common
    share_first: Ints  # [rows + 1]
    share_cumulative: Floats
    share_unit: Ints
    class_row: Ints  # [K] row in class_of for unit 0, level 0
    class_levels: Ints  # [K] number of priority levels of the step
    class_of: Ints  # class of (step, own unit, level): class_of[class_row + unit * levels + level]
    priority_by: Ints  # [K] mark that gives the level, or -1 (level 0)
    stay_distribution: Ints  # [K]
    stay_by: Ints  # [K] mark that scales the stay, or -1
    stay_scale_first: Ints  # [K] row of stay_scale for mark value 0
    stay_scale: Floats  # factor on the drawn stay
    patience_distribution: Ints  # [K] or -1
    patience_by: Ints  # [K] mark that scales the patience, or -1
    patience_scale_first: Ints  # [K] row of stay_scale
    patience_to: Ints  # [K] step after a patience ends
    limit: Ints  # [K] longest queue, or -1
    limit_to: Ints  # [K] step of those who find it full
    divert_at: Ints  # [K] queue at which patients divert, or -1
    divert_first: Ints  # [K] row of divert_unit for unit 0, or -1
    divert_unit: Ints  # the unit they divert to, for each own unit
    round_kind: Ints  # [K] 0 none, 1 fixed instants of the week, 2 a window for each weekday
    round_first: Ints  # [K + 1]
    round_ms: Ints  # fixed: ms since Monday 00:00, rising; window: from and to for each weekday (-1: no round)
    hold_first: Ints  # [K + 1]
    hold_step: Ints  # earlier steps whose unit is released when this step starts
    keeps: NDArray[np.uint8]  # [K, K] keeps[next, held]: 1 if a unit held from `held` is kept on the way to `next`
    cause: Ints  # [K] cause to which hours blocked while waiting for this step are booked
    conditional: Ints  # [K] 1 if the step has a queue limit or diverts: its patients join by a JOIN event

    # --- shares: routing, groups, catchments of arrivals ---------------------------------------------------------
    route_by: Ints  # [K] mark that chooses the row, or -1
    route_row: Ints  # [K] first row
    row_first: Ints  # [rows + 1]
    row_cumulative: Floats  # cumulative shares in written order, the last exactly 1
    row_to: Ints  # next step, or value of a group
    group_by: Ints  # [groups] mark that chooses the row (age band), or -1
    group_row: Ints  # [groups] first row
    group_word: Ints  # [groups] 32-bit hash of the group's name
    shift_first: Ints  # [K + 1] for the step patients were on their way to
    shift_to: Ints  # the step they may go to instead
    shift_share: Floats
    shift_start: Ints
    shift_ramp: Ints  # ms from no share to the whole
    shift_ages: NDArray[np.uint8]  # [shifts, A] 1 if it applies to the age band
    shift_places: NDArray[np.uint8]  # [shifts, L] 1 if it applies to patients who live there

    # --- distributions ------------------------------------------------------------------------------------------
    family: Ints  # [D] distributions.Family
    parameter_first: Ints  # [D + 1]
    parameters: Floats

    # --- streams --------------------------------------------------------------------------------------------------
    stream_kind: Ints  # [S] StreamKind
    stream_pathway: Ints  # [S]
    stream_place: Ints  # [S] place of residence
    stream_step: Ints  # [S] first step
    stream_layers: Ints  # [S] RATE: layers of candidates needed
    stream_gap_ms: Floats  # [S] RATE: mean gap between candidates of one layer
    stream_mix: Floats  # [S * A] cumulative age shares q of candidates
    stream_ratio_first: Ints  # [S] RATE: row of ratio for segment 0
    segment_starts: Ints  # [G] rates are constant between these, apart from profiles; the first is at or before 0
    ratio: Floats  # [S, G, A] rate(age, segment) at the profile's peak / (R q(age)): layer k keeps ratio * profile - k
    day_profile_first: Ints  # [S + 1] weights of a day scaled to a maximum of 1 (equal pieces; one piece if none)
    day_profile: Floats
    week_profile: Floats  # [S * 7] from Monday, maximum 1
    year_profile: Floats  # [S * 12] from January, maximum 1
    listed_first: Ints  # [S + 1] LISTED: times; INSIDE and WAITING: one entry a patient
    listed_at: Ints  # LISTED: ms, rising; WAITING: ms, 0 or below; INSIDE: 0
    listed_marks: Ints  # [entries, marks] given marks, -1 where drawn
    listed_unit: Ints  # [S] INSIDE and WAITING: the unit
    mark_count: int  # marks of a patient: 0 age band, 1 place, 2... groups

    # --- clocks -----------------------------------------------------------------------------------------------------
    clock_standard: Ints  # [clocks]
    clock_start_first: Ints  # [K * 5 + 1] clocks that start at (step, moment), row step * 5 + moment
    clock_start: Ints
    clock_stop_first: Ints  # [K * 5 + 1] clocks that stop there
    clock_stop: Ints

    # --- responses ----------------------------------------------------------------------------------------------------
    response_follows: Ints  # [R] Follow
    response_unit_first: Ints  # [R + 1] units looked at
    response_units: Ints
    response_days: Ints  # [R]
    response_changes: Ints  # [R] Change
    response_target: Ints  # [R] step, stream's pathway, or unit
    response_point_first: Ints  # [R + 1]
    response_x: Floats
    response_y: Floats

    # --- who and where, for the ledger --------------------------------------------------------------------------------
    place_area: Ints  # [L] area (borough of residence) of each place
    counts: Ints  # [10] sizes: units, pools, classes, lanes, steps, settings, areas, age bands, causes, clocks
    block_unit: Ints  # [blocks] sorted (held unit, awaited own unit, cause): what a blocked hour may be booked to
    block_awaited: Ints
    block_cause: Ints


class UnitLabel(NamedTuple):
    """A unit's name, and where it belongs."""

    name: str
    setting: str
    at: str  # site or place
    place: str  # place
    level: str
    stp: str  # place of level stp above it, or the root
    trust: str = ""  # of its site, empty where none is given


class Labels(NamedTuple):
    """Names of the rows of a Network, for tables and messages. Tuples in the order of the numbers."""

    model: str
    origin: str  # ISO date of time 0
    data_start_ms: int  # end of the warm-up
    units: tuple[UnitLabel, ...]
    pools: tuple[str, ...]
    classes: tuple[str, ...]
    lanes: tuple[tuple[int, int], ...]  # (class, unit)
    settings: tuple[str, ...]
    setting_levels: tuple[str, ...]
    pathways: tuple[str, ...]
    steps: tuple[tuple[str, str], ...]  # (pathway, step)
    streams: tuple[str, ...]
    places: tuple[str, ...]
    sites: tuple[str, ...]
    areas: tuple[str, ...]
    age_bands: tuple[str, ...]
    groups: tuple[tuple[str, tuple[str, ...]], ...]  # (group, its values)
    causes: tuple[str, ...]
    clocks: tuple[str, ...]
    responses: tuple[str, ...]
    period_dates: tuple[str, ...]  # ISO date of the start of each fine period
    month_of_period: tuple[int, ...]  # number of the coarse period each fine period belongs to
    month_dates: tuple[str, ...]  # ISO date of the start of each coarse period
    costs: tuple[
        tuple[float, float, float], ...
    ]  # for each setting: a day of capacity, a visit, a day of stay (pounds)
    one_off: tuple[tuple[str, int, float], ...]  # (setting, ms, pounds)
    payers: tuple[str, ...]  # for each setting: who pays, empty where nobody said
    price_year: str
