"""What all figures have in common: colours, type, a heading, a foot, and the same bytes for the same content."""

from __future__ import annotations

import io
import os
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

WIDTH = 10.0
"""Inches: two thirds of that on a page."""
MARGIN = 0.025
"""Of the width, at the left and at the right."""
DOTS_PER_INCH = 144
MINUS = "\u2212"
BETTER, WORSE, UNCLEAR, INK, FAINT, GRID = "#0072B2", "#D55E00", "#6B6B6B", "#222222", "#B8B8B8", "#E6E6E6"
"""Blue and vermilion are told apart by people of any colour sight (Okabe and Ito, 2008)."""
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans", "font.size": 9.5, "svg.hashsalt": "flowsim", "svg.fonttype": "path",
    "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False, "axes.edgecolor": FAINT,
    "xtick.color": INK, "ytick.color": INK, "text.color": INK, "axes.labelcolor": INK, "hatch.linewidth": 0.6,
}  # fmt: skip
LINE = 0.24
"""Inches from one line of a heading to the next."""


@contextmanager
def sheet(height: float) -> Iterator[Any]:
    """An empty figure of the usual width, to be drawn and saved within the block."""
    settle_caches()
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height))
        FigureCanvasAgg(figure)
        yield figure


def saved(figure: Any, name: str) -> dict[str, bytes]:
    """The figure as NAME.svg and NAME.png: the same bytes for the same content."""
    files = {}
    for kind in ("svg", "png"):
        paper = io.BytesIO()
        figure.savefig(paper, format=kind, dpi=DOTS_PER_INCH, metadata={"Date": None} if kind == "svg" else None)
        files[f"{name}.{kind}"] = paper.getvalue()
    return files


def head_height(title: str, note: str) -> float:
    """Inches that `put_head` needs."""
    return 0.28 + LINE * (len(_wrapped(title, 72)) + len(_wrapped(note, 138)))


def put_head(figure: Any, title: str, note: str) -> None:
    """The title in bold, and below it in grey what is drawn."""
    height = figure.get_figheight()
    titles = _wrapped(title, 72)
    figure.text(MARGIN, 1 - 0.16 / height, "\n".join(titles), va="top", fontsize=13, fontweight="bold")
    below = 1 - (0.2 + LINE * len(titles)) / height
    figure.text(MARGIN, below, "\n".join(_wrapped(note, 138)), va="top", color=UNCLEAR, linespacing=1.35)


def plain_ticks(axis: Any) -> None:
    """Numbers in full, all with as many decimals, never with a power of ten at the end of the axis."""

    def told(value: float, _: object) -> str:
        steps = axis.get_majorticklocs()
        step = abs(steps[1] - steps[0]) if len(steps) > 1 else 1.0
        places = next((n for n in range(9) if abs(round(step, n) - step) < 1e-6 * step), 9)
        return f"{value + 0.0:,.{places}f}".replace("-", MINUS)

    axis.set_major_formatter(told)


def replications_told(counts: set[int]) -> str:
    """How many replications there are behind the numbers of a figure; where there is no number, none are counted."""
    counts = counts - {0} or {0}
    if counts == {1}:
        return "1 replication"
    return f"{max(counts)} replications" if len(counts) == 1 else f"{min(counts)} to {max(counts)} replications"


def settle_caches() -> None:
    """Gives matplotlib a folder for its caches where its own cannot be written, as with no home."""
    if "MPLCONFIGDIR" in os.environ and os.access(os.environ["MPLCONFIGDIR"], os.W_OK):
        return
    try:
        home = Path.home()
        if "MPLCONFIGDIR" not in os.environ and os.access(home, os.W_OK):
            return
    except RuntimeError:
        pass
    import atexit
    import shutil

    folder = tempfile.mkdtemp(prefix="flowsim-")
    os.environ["MPLCONFIGDIR"] = folder
    atexit.register(shutil.rmtree, folder, ignore_errors=True)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width) or [""]
