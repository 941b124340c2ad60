"""Runs the commands of the lessons and puts what they print into the pages: `python experiments/lessons/rebuild.py`.

A page has `<!-- printed: COMMAND -->` and, some lines on, `<!-- end -->`: what stands between them is written
here, with the day, and nothing else is touched. Name pages (`waiting.md`) to do only these.
"""

from __future__ import annotations

import datetime
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PRINTED = re.compile(r"<!-- printed: (.+?) -->\n.*?<!-- end -->", re.DOTALL)


def output(command: str, folder: str) -> str:
    """What a command of a page prints in a folder of its own. Raises SystemExit if it fails."""
    program, *words = shlex.split(command)
    begin = [sys.executable, "-m", "flowsim"] if program == "flowsim" else [sys.executable]
    quiet = ["--quiet"] if words[0] == "run" else []
    words = [str(ROOT / word) if word.endswith(".py") else word for word in words]
    done = subprocess.run([*begin, *words, *quiet], capture_output=True, text=True, cwd=folder)
    if done.returncode != 0:
        raise SystemExit(f"{command}: exit code {done.returncode}\n{done.stderr}")
    lines = [line.rstrip() for line in done.stdout.splitlines() if not line.startswith("Figures and table:")]
    return "\n".join(lines).strip()


def rewritten(page: str, folder: str) -> str:
    """A page with everything printed anew."""

    def block(found: re.Match[str]) -> str:
        day = f"{datetime.date.today():%-d %B %Y}"
        text = output(found[1], folder)
        return f"<!-- printed: {found[1]} -->\n`{found[1]}`, {day}:\n\n```\n{text}\n```\n<!-- end -->"

    return PRINTED.sub(block, page)


def main(names: list[str]) -> None:
    """Each page in turn; its commands run in one folder, in their order."""
    for path in [HERE / name for name in names] or sorted(HERE.glob("*.md")):
        with tempfile.TemporaryDirectory() as folder:
            path.write_text(rewritten(path.read_text(encoding="utf-8"), folder), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
