"""A ward with reports of several memories, on the same patients: `python experiments/lessons/swing.py`."""

import numpy as np

import flowsim as fs

DAY_MS = 86_400_000
REPORT = "who is sent"
STRONG, WEAK = ((0.85, 1.5), (0.95, 0.5)), ((0.85, 1.1), (0.95, 0.9))
WARDS = {
    "no report": None,
    "yesterday, strong": (1, STRONG),
    "7 days, strong": (7, STRONG),
    "28 days, strong": (28, STRONG),
    "56 days, strong": (56, STRONG),
    "28 days, weak": (28, WEAK),
}


def ward(report: tuple[int, tuple[tuple[float, float], ...]] | None) -> fs.Model:
    """The model `report` with another memory (days) and strength (points), or with no report at all."""
    model = fs.load_model("report")
    if report is None:
        return model.model_copy(update={"responses": {}})
    days, points = report
    was = model.responses[REPORT]
    follows = was.follows.model_copy(update={"over": days * DAY_MS})
    return model.model_copy(
        update={"responses": {REPORT: was.model_copy(update={"follows": follows, "points": points})}}
    )


def midnights(run: fs.Run) -> np.ndarray:
    """Beds in use at each midnight: the ledger of the run, day by day."""
    return run.ledger.by_period("midnight_in_use")[:, 0]


def main() -> None:
    """A line for each ward, then half a year of two of them, a line a week."""
    seen = {}
    print("report             mean beds    sd  lowest  highest  had to wait  mean wait (hours)")
    for name, report in WARDS.items():
        run = fs.simulate(ward(report), days=1825, warm_up=365, seed=1)
        beds = seen[name] = midnights(run)
        waited, wait = run.measure("share_waiting").iloc[0], run.measure("mean_wait_hours").iloc[0]
        print(
            f"{name:<18}{beds.mean():>10.1f}{beds.std():>6.1f}{beds.min():>8}{beds.max():>9}"
            f"{waited:>13.2f}{wait:>19.1f}"
        )
    left, right = "yesterday, strong", "28 days, strong"
    print(f"\nbeds in use at midnight, once a week\nday   {left:<41}{right}")
    for day in range(0, 182, 7):
        one, other = seen[left][day], seen[right][day]
        print(f"{day:>3}  {one:>4} {'#' * round(one / 3):<36}{other:>4} {'#' * round(other / 3)}")


if __name__ == "__main__":
    main()
