"""Writes the made-up city in any size: `python configs/city/rebuild.py --scale 1 --out my-city`.

Without options it writes the one that ships, a tenth of the city, into this folder; `--check` only says whether
that one is current, and ends with 1 if it is not. What the city is stands in `flowsim/bench/city_parts.py`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from flowsim.bench.city import city

HERE = Path(__file__).resolve().parent
SCALE, MULT = 0.1, 1
"""The size that ships."""


def main() -> int:
    """Writes a city, or checks the one that ships."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=SCALE, help="times ten million arrivals a year (0.1)")
    parser.add_argument("--mult", type=int, default=MULT, help="times the sites, boroughs and neighbourhoods (1)")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write into (this one)")
    parser.add_argument("--check", action="store_true", help="say which files of the shipped city are not current")
    given = parser.parse_args()
    if given.check:
        old = stale()
        print("\n".join(f"{name} is not current: run rebuild.py" for name in old) or "all files are current")
        return 1 if old else 0
    if given.out.resolve() == HERE and (given.scale, given.mult) != (SCALE, MULT):
        parser.error("this folder holds the size that ships: name another folder with --out")
    try:
        main_file = city(given.scale, given.mult, given.out)
    except ValueError as error:
        parser.error(str(error))
    print(f"{main_file}: try `flowsim check {main_file.parent}`")
    return 0


def stale() -> list[str]:
    """Files of the shipped city that differ from what would be written now."""
    with tempfile.TemporaryDirectory() as folder:
        city(SCALE, MULT, folder)
        new = {path.relative_to(folder): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}
    kept = {name: (HERE / name).read_bytes() if (HERE / name).is_file() else b"" for name in new}
    return [name.as_posix() for name in sorted(new) if kept[name] != new[name]]


if __name__ == "__main__":
    sys.exit(main())
