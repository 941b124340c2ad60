"""Waits on the ladder beside Erlang's formula, from what `flowsim run lesson-ladder` left in results/."""

import sys

import flowsim as fs


def erlang_wait(servers: int, load: float, mean_stay: float) -> float:
    """Mean wait in an M/M/c queue (Erlang C), in the unit of the stay; the load in servers, below their number."""
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = load * blocked / (n + load * blocked)  # Erlang B, one server at a time
    waits = blocked / (1 - load / servers * (1 - blocked))  # share of patients who wait
    return waits * mean_stay / (servers - load)


def main(folder: str = "results/lesson-ladder") -> None:
    """One line a clinic and scenario: theory, simulation, interval, years simulated and years needed for 5%."""
    results = fs.open_results(folder)
    years = (results.experiment.days or 0) / 365
    print("clinic            servers  Erlang C  simulated  95% interval (hours)  years run  years for +-5%")
    for row in results.compare("mean_wait_hours", by="setting").to_dict("records"):
        servers = 10 if row["scenario"] == "as it is" else 11
        load = float(row["setting"].split()[1].rstrip("%")) / 10
        half = (row["high"] - row["low"]) / 2
        run = years * row["replications"]
        interval = f"{row['low']:.3f} to {row['high']:.3f}"
        print(
            f"{row['setting']:<18}{servers:>7}{erlang_wait(servers, load, 0.5):>10.3f}{row['mean']:>11.3f}"
            f"{interval:>22}{run:>11.1f}{run * (half / row['mean'] / 0.05) ** 2:>16.1f}"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
