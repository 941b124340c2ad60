"""Age bands: `0-17`, `85+`; which ones a model has, and in which order."""

from __future__ import annotations

from flowsim.model.schema import Model


def limits(band: str) -> tuple[int, int | None]:
    """First and last age of a band; None as last if it is open."""
    low, _, high = band.removesuffix("+").partition("-")
    return int(low), None if band.endswith("+") else int(high or low)


def by_age(band: str) -> tuple[int, int]:
    """A key that sorts age bands from the youngest."""
    low, high = limits(band)
    return low, 999 if high is None else high


def age_bands_of(model: Model) -> list[str]:
    """The age bands of a model, youngest first; empty if its patients have no age."""
    found: set[str] = set()
    if model.population is not None:
        found |= set(model.population.table.columns["age_band"])
    for pathway in model.pathways.values():
        for source in pathway.arrivals:
            found |= set(source.ages)
            if source.need is not None:
                found |= {band for row in (source.need.by_age, *source.need.by_place.values()) for band in row}
            if source.trace is not None:
                found |= set(source.trace.columns.get("age_band", ()))
    return sorted(found, key=by_age)
