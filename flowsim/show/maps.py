"""A measure on the map: its level in one scenario and its change in others, places as tiles, sites as circles."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

from flowsim.show import figure as common
from flowsim.show.figure import BETTER, FAINT, INK, MARGIN, MINUS, UNCLEAR, WORSE
from flowsim.show.numbers import decimals, handy_unit, is_number, scale_of, unit_of
from flowsim.show.tiles import Spot, Tile, tiles_of

EARTH_KM = 111.195
"""Kilometres of a degree of latitude."""
PANEL, GUTTER = 4.6, 0.3
"""Inches: the width of a panel, and between two."""
ROUND_PANEL, BELOW_PANEL = 1.16, 0.62
"""Inches above and below a panel together, and below."""
LARGEST, SMALLEST, LARGEST_TILE = 0.2, 0.1, 0.6
"""Inches: radius of a circle, side of a tile."""
PALE, LIGHT, DARK, RISE, FALL = "#FAFAFA", "#EDF1F3", "#2F4858", "#1B7837", "#762A83"
"""Paper of what is not clear; ends of the scale of levels; more and less where neither is better."""
MANY = 20
STEPS = 200
MOST_IN_KEY = 2
"""Changes told in the key of the sites."""
EDGE = "#7A7A7A"
"""Round a change that is clear, however small."""
UNCERTAIN: dict[str, Any] = {"facecolor": PALE, "edgecolor": "#D0D0D0", "hatch": "////"}
KEY_SIZE, KEY_LINE, KEY_SIGNS = 7.5, 0.15, 138
"""Points, inches from line to line, signs across the width."""


class Reading(NamedTuple):
    """A value and its interval, None where there is none."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Panel:
    """One map: what it is of, and the readings by name of place or site."""

    caption: str
    readings: Mapping[str, Reading]


@dataclass(frozen=True)
class Mapped:
    """A measure to be drawn. `places` and `sites` are those with readings; `size_of` says what sizes are."""

    label: str
    measured_in: str
    less_is_better: bool | None
    level: Panel
    changes: tuple[Panel, ...]
    places: tuple[Spot, ...] = ()
    sites: tuple[Spot, ...] = ()
    size_of: str = ""
    replications: str = ""


@dataclass(frozen=True)
class Scale:
    """From a value to a colour and to text; `centred` scales have zero in the middle."""

    low: float
    high: float
    places: int
    colours: Any
    is_change: bool

    def colour(self, value: float) -> Any:
        """The colour of a value."""
        return self.colours(min(max((value - self.low) / (self.high - self.low), 0.0), 1.0))

    def told(self, value: float) -> str:
        """The value as written in a tile: a change has its sign."""
        text = f"{round(value, self.places) + 0.0:,.{self.places}f}"
        has_sign = self.is_change and any(digit in "123456789" for digit in text) and not text.startswith("-")
        return f"+{text}" if has_sign else text.replace("-", MINUS)


class Block(NamedTuple):
    """All panels of one kind, places or sites: whose they are, how tall a panel is, the key below, how one is drawn."""

    names: list[str]
    height: float
    key_note: str
    key: list[list[tuple[str, str]]]
    draw: Callable[[Any, Mapping[str, Reading], Scale], None]

    @property
    def key_height(self) -> float:
        """Inches of the key and the gap after it."""
        return 0.35 + KEY_LINE * (len(self.key) + (1.4 if self.key_note else 0))


def drawn(name: str, title: str, one: Mapped) -> dict[str, bytes]:
    """NAME.svg and NAME.png: places in rows of two panels, then sites; nothing if neither can be placed."""
    tiles = tiles_of(one.places)
    sites = [spot for spot in one.sites if spot.latitude is not None and spot.longitude is not None]
    blocks = [_block_of_tiles(tiles)] if tiles else []
    blocks += [_block_of_sites(one, _from_north(sites))] if sites else []
    if not blocks:
        return {}
    rows = math.ceil((1 + len(one.changes)) / 2)
    note = _note(one, max(len(block.names) for block in blocks))
    head, foot = common.head_height(title, note), 0.45
    height = head + foot + sum(rows * (block.height + ROUND_PANEL) + block.key_height for block in blocks)
    with common.sheet(height) as figure:
        common.put_head(figure, title, note)
        top = height - head
        for block in blocks:
            _draw_panels(figure, one, block, top)
            top -= rows * (block.height + ROUND_PANEL)
            _draw_key(figure, block, top)
            top -= block.key_height
        _explain(figure, one, [place.name for place in one.places if place.name not in tiles], bool(sites))
        return common.saved(figure, name)


def _note(one: Mapped, count: int) -> str:
    """What is drawn; with many intervals, how many of them are clear of zero by chance."""
    said = f"{one.label[:1].upper()}{one.label[1:]}: level"
    if one.changes:
        said += ", and change with the same patients, paired by replication"
        if count >= MANY:
            said += f". Where nothing changes, about {round(count / 20)} of {count} intervals leave out zero by chance"
    return said


def _draw_panels(figure: Any, one: Mapped, block: Block, top: float) -> None:
    """Level and changes, two abreast, from `top` inches down, each with its scale below it."""
    height = figure.get_figheight()
    divisor, level, change = _scales(one, block.names)
    for place, panel in enumerate((one.level, *one.changes)):
        scale = change if place else level
        bottom = top - (place // 2 + 1) * (block.height + ROUND_PANEL) + BELOW_PANEL
        left = MARGIN * common.WIDTH + (place % 2) * (PANEL + GUTTER)
        box = (left / common.WIDTH, bottom / height, PANEL / common.WIDTH, block.height / height)
        axes = figure.add_axes(box)
        axes.axis("off")
        block.draw(axes, _values(panel, block.names, divisor), scale)
        up = (bottom + block.height + 0.12) / height
        figure.text(left / common.WIDTH, up, panel.caption, fontweight="bold", fontsize=10, va="bottom")
        _draw_scale(figure, scale, left, bottom - 0.24, _unit(one, block.names, scale.is_change))


def _draw_key(figure: Any, block: Block, top: float) -> None:
    """What the codes or numbers of a block stand for."""
    height = figure.get_figheight()
    look = {"fontsize": KEY_SIZE, "color": UNCLEAR, "va": "center"}
    top -= 0.06
    if block.key_note:
        figure.text(MARGIN, top / height, block.key_note, **look)
        top -= 1.4 * KEY_LINE
    for line, words in enumerate(block.key):
        at = (top - KEY_LINE * line) / height
        for column, (code, word) in enumerate(words):
            across = MARGIN + column * (1 - 2 * MARGIN) / len(block.key[0])
            figure.text(across, at, code, fontweight="bold", **look)
            figure.text(across + 0.037, at, word, **look)


def is_clear(one: Reading) -> bool:
    """Whether the interval of a change is clear of zero; without an interval it is not."""
    return is_number(one.low) and is_number(one.high) and not (one.low or 0.0) <= 0 <= (one.high or 0.0)


def _values(panel: Panel, names: Sequence[str], divisor: float) -> dict[str, Reading]:
    """The readings of these names as they are told: percent, millions."""
    return {
        name: Reading(*(value / divisor if value is not None and is_number(value) else None for value in reading))
        for name, reading in panel.readings.items()
        if name in names
    }


def _scales(one: Mapped, names: Sequence[str]) -> tuple[float, Scale, Scale]:
    """(what values are divided by, scale of levels, scale of changes) for these places; one for all changes."""
    from matplotlib.colors import LinearSegmentedColormap

    divisor, _ = _handy(one, names)
    levels = [r.value for r in _values(one.level, names, divisor).values() if r.value is not None] or [0.0]
    changes = [r for panel in one.changes for r in _values(panel, names, divisor).values() if r.value is not None]
    clear, most = (
        max((abs(r.value or 0.0) for r in mine), default=0.0) for mine in (filter(is_clear, changes), changes)
    )
    far = max(clear, most / 4) or 1.0  # wide intervals with large changes do not wash out those that are clear
    low, high = min(levels), max(levels)
    low = 0.0 if 0 <= low < high / 2 else low  # shades of what may be 0 begin there
    high = high if high > low else low + (abs(low) or 1.0)
    less, more = (
        (FALL, RISE) if one.less_is_better is None else (BETTER, WORSE) if one.less_is_better else (WORSE, BETTER)
    )
    grey = LinearSegmentedColormap.from_list("level", [LIGHT, DARK])
    both = LinearSegmentedColormap.from_list("change", [less, PALE, more])
    fine = decimals(far)
    return (
        divisor,
        Scale(low, high, max(decimals((high - low) / 2), 0), grey, False),
        Scale(-far, far, max(fine, 0), both, True),
    )


def _handy(one: Mapped, names: Sequence[str]) -> tuple[float, str]:
    sizes = [abs(r.value) for name, r in one.level.readings.items() if name in names and r.value is not None]
    divisor, unit = handy_unit(one.measured_in, max(sizes, default=0.0))
    return divisor / scale_of(one.measured_in), unit


def _unit(one: Mapped, names: Sequence[str], is_change: bool) -> str:
    unit = unit_of(_handy(one, names)[1], is_change)
    return f"change in {unit}" if is_change else unit


def _on(colour: Any) -> str:
    """The colour of text that can be read on this one."""
    red, green, blue = colour[:3]
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.58 else INK


def _look(reading: Reading | None, scale: Scale) -> dict[str, Any]:
    """How a tile or circle is filled: hatched where a change is not clear, white where nothing was measured."""
    if reading is None or reading.value is None:
        return {"facecolor": "white", "edgecolor": FAINT}
    if scale.is_change and not is_clear(reading):
        return UNCERTAIN
    return {"facecolor": scale.colour(reading.value), "edgecolor": EDGE if scale.is_change else "white"}


def _ink(look: Mapping[str, Any]) -> str:
    return UNCLEAR if "hatch" in look or look["facecolor"] == "white" else _on(look["facecolor"])


# --- tiles ---------------------------------------------------------------------------------------------------------


def _block_of_tiles(tiles: Mapping[str, Tile]) -> Block:
    columns, rows = _grid(tiles)
    key = [(tile.code, name) for name, tile in sorted(tiles.items(), key=lambda item: item[1].code)]
    return Block(
        list(tiles), min(PANEL / columns, LARGEST_TILE) * rows, "", _in_columns(key),
        lambda axes, values, scale: _draw_tiles(axes, tiles, values, scale),
    )  # fmt: skip


def _grid(tiles: Mapping[str, Tile]) -> tuple[int, int]:
    """Columns and rows."""
    return max(tile.column for tile in tiles.values()) + 1, max(tile.row for tile in tiles.values()) + 1


def _draw_tiles(axes: Any, tiles: Mapping[str, Tile], values: Mapping[str, Reading], scale: Scale) -> None:
    from matplotlib.patches import Rectangle

    columns, rows = _grid(tiles)
    side = min(PANEL / columns, LARGEST_TILE)
    size = min(9.0, side * 15)
    axes.set_xlim(0, PANEL / side)
    axes.set_ylim(rows, 0)
    for name, tile in tiles.items():
        reading = values.get(name)
        look = _look(reading, scale)
        axes.add_patch(Rectangle((tile.column + 0.02, tile.row + 0.02), 0.96, 0.96, linewidth=0.6, **look))
        middle = {"ha": "center", "va": "center", "color": _ink(look)}
        axes.text(tile.column + 0.5, tile.row + 0.32, tile.code, fontsize=0.8 * size, **middle)
        told = "\u2013" if reading is None or reading.value is None else scale.told(reading.value)
        smaller = min(1.0, 5.5 / max(len(told), 1))
        weight = "bold" if scale.is_change and "hatch" not in look else "normal"
        axes.text(tile.column + 0.5, tile.row + 0.68, told, fontsize=size * smaller, fontweight=weight, **middle)


# --- sites ---------------------------------------------------------------------------------------------------------


def _block_of_sites(one: Mapped, sites: Sequence[Spot]) -> Block:
    has_changes = 0 < len(one.changes) <= MOST_IN_KEY
    note = "After each name its level and change; in brackets where the change is not clear:" if has_changes else ""
    height = _sites_height(sites)
    return Block(
        [spot.name for spot in sites], height, note, _in_columns(_key_of_sites(one, sites)),
        lambda axes, values, scale: _draw_sites(axes, sites, values, scale, height),
    )  # fmt: skip


def _from_north(sites: Sequence[Spot]) -> list[Spot]:
    """From north to south: the order of their numbers."""
    return sorted(sites, key=lambda spot: (-(spot.latitude or 0.0), spot.longitude or 0.0))


def _kilometres(sites: Sequence[Spot]) -> list[tuple[float, float]]:
    """East and north of the south-west corner, on a plane that touches the middle."""
    middle = sum(spot.latitude or 0.0 for spot in sites) / max(len(sites), 1)
    across = EARTH_KM * math.cos(math.radians(middle))
    at = [((spot.longitude or 0.0) * across, (spot.latitude or 0.0) * EARTH_KM) for spot in sites]
    west, south = (min((one[axis] for one in at), default=0.0) for axis in (0, 1))
    return [(x - west, y - south) for x, y in at]


def _sites_height(sites: Sequence[Spot]) -> float:
    at = _kilometres(sites)
    wide, tall = (max((one[axis] for one in at), default=0.0) for axis in (0, 1))
    room = 2 * LARGEST
    return min(max((PANEL - room) * tall / max(wide, 1e-6), 2.2), 4.4) + room


def _draw_sites(axes: Any, sites: Sequence[Spot], values: Mapping[str, Reading], scale: Scale, height: float) -> None:
    from matplotlib.patches import Circle

    at = _kilometres(sites)
    wide, tall = (max(max(one[axis] for one in at), 1e-6) for axis in (0, 1))
    inch = min((PANEL - 2 * LARGEST) / wide, (height - 2 * LARGEST) / tall)
    axes.set_xlim(0, PANEL)
    axes.set_ylim(0, height)
    most = max((spot.size or 0.0 for spot in sites), default=0.0)
    shares = [(spot.size or 0.0) / most if most else 0.5 for spot in sites]
    radii = [max(LARGEST * math.sqrt(share), SMALLEST) for share in shares]
    spots = apart([(LARGEST + x * inch, LARGEST + y * inch) for x, y in at], radii)
    for number, (spot, (x, y), radius) in enumerate(zip(sites, spots, radii, strict=True), 1):
        look = _look(values.get(spot.name), scale)
        axes.add_patch(Circle((x, y), radius, linewidth=0.7, clip_on=False, **look))
        axes.text(x, y, str(number), fontsize=7.5, ha="center", va="center", color=_ink(look))
    kilometres = next((one for one in (20, 10, 5, 2, 1) if one * inch < PANEL / 4), 1)
    axes.plot([0, kilometres * inch], [0.02, 0.02], color=UNCLEAR, linewidth=1.5, solid_capstyle="butt")
    axes.text(kilometres * inch + 0.06, 0.02, f"{kilometres} km", fontsize=8, color=UNCLEAR, va="center")


def apart(spots: Sequence[tuple[float, float]], radii: Sequence[float]) -> list[tuple[float, float]]:
    """Centres moved so that no two circles overlap, as little as small steps find."""
    moved = [list(spot) for spot in spots]
    for _ in range(STEPS):
        is_done = True
        for i, j in combinations(range(len(moved)), 2):
            across, up = moved[j][0] - moved[i][0], moved[j][1] - moved[i][1]
            between = math.hypot(across, up)
            short = radii[i] + radii[j] - between
            if short > 1e-6:
                is_done = False
                x, y = (across / between, up / between) if between else (1.0, 0.0)
                for circle, way in ((i, -0.5), (j, 0.5)):
                    moved[circle][0] += way * x * short
                    moved[circle][1] += way * y * short
        if is_done:
            break
    return [(x, y) for x, y in moved]


def _key_of_sites(one: Mapped, sites: Sequence[Spot]) -> list[tuple[str, str]]:
    """The number of each site, its name, level and change; a change that is not clear in brackets."""
    names = [spot.name for spot in sites]
    divisor, level, change = _scales(one, names)
    levels = _values(one.level, names, divisor)
    changes = [_values(panel, names, divisor) for panel in one.changes] if len(one.changes) <= MOST_IN_KEY else []
    key = []
    for number, spot in enumerate(sites, 1):
        found = levels.get(spot.name)
        told = [] if found is None or found.value is None else [level.told(found.value)]
        for reading in (panel.get(spot.name) for panel in changes):
            if reading is not None and reading.value is not None:
                words = change.told(reading.value)
                told.append(words if is_clear(reading) else f"({words})")
        key.append((str(number), f"{spot.name}: {', '.join(told)}" if told else spot.name))
    return key


# --- around ----------------------------------------------------------------------------------------------------------


def _draw_scale(figure: Any, scale: Scale, left: float, at: float, unit: str) -> None:
    """The scale of colours below a panel, zero in the middle for changes."""
    height = figure.get_figheight()
    wide = 1.9
    axes = figure.add_axes((left / common.WIDTH, at / height, wide / common.WIDTH, 0.11 / height))
    axes.imshow([[step / 100 for step in range(101)]], cmap=scale.colours, aspect="auto", extent=(0, 1, 0, 1))
    ticks = (0.0, 0.5, 1.0)
    told = [scale.told(scale.low + tick * (scale.high - scale.low)) for tick in ticks]
    axes.set_xticks(ticks, told, fontsize=8)
    for label, side in zip(axes.get_xticklabels(), ("left", "center", "right"), strict=True):
        label.set_horizontalalignment(side)
    axes.set_yticks([])
    axes.tick_params(length=2, color=FAINT, pad=2)
    figure.text(
        (left + wide + 0.22) / common.WIDTH, (at + 0.05) / height, unit, fontsize=8.5, color=UNCLEAR, va="center"
    )


def _in_columns(key: Sequence[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Lines of a key in columns that are read downwards."""
    longest = max((len(word) for _, word in key), default=1)
    columns = max(1, min(len(key), KEY_SIGNS // (longest + 7)))
    tall = math.ceil(len(key) / columns)
    return [list(key[row::tall]) for row in range(tall)]


def _explain(figure: Any, one: Mapped, left_out: Sequence[str], has_sites: bool) -> None:
    """What colours and hatching mean, and what is not on the map."""
    from matplotlib.patches import Rectangle

    height = figure.get_figheight()
    middle = 0.2 / height
    at = MARGIN
    if one.changes:
        words = {BETTER: "clearly better", WORSE: "clearly worse"}
        if one.less_is_better is None:
            words = {FALL: "clearly less", RISE: "clearly more"}
        looks: list[tuple[dict[str, Any], str]] = []
        looks += [({"facecolor": colour, "edgecolor": EDGE}, said) for colour, said in words.items()]
        looks.append((UNCERTAIN, "no clear change: the interval spans zero"))
        for look, said in looks:
            box = (at, middle - 0.06 / height)
            figure.add_artist(Rectangle(box, 0.016, 0.12 / height, transform=figure.transFigure, linewidth=0.6, **look))
            figure.text(at + 0.022, middle, said, fontsize=8.5, color=UNCLEAR, va="center")
            at += 0.045 + 0.0083 * len(said)
    rest = [f"circles by {one.size_of}, moved apart"] if has_sites and one.size_of else []
    if left_out:
        named = ", ".join(left_out) if len(left_out) <= 3 else f"{len(left_out)} places"
        rest.append(f"not on the map: {named}")
    rest += [one.replications] if one.replications else []
    figure.text(1 - MARGIN, middle, "; ".join(rest), fontsize=8.5, color=UNCLEAR, va="center", ha="right")
