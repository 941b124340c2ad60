"""Which units the visits to steps go to, by place of residence and by site: for the traffic equations."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from flowsim.engine.network import Choice, Floats, Ints, Network

BY_PLACE, SHARES, SAME_SITE = map(int, Choice)
MOST_ROUNDS, CLOSE_ENOUGH = 1000, 1e-12
"""How often, and how closely, what depends on itself is found."""


class Shares(NamedTuple):
    """Shares of visits that go to units, entry by entry: patients of a place, at a step of their pathway, a unit.

    Places and steps are numbered among those looked at. Entries of the same three add up.
    """

    place: Ints
    step: Ints
    unit: Ints
    share: Floats


class Destinations:
    """Which units the visits to the steps of a pathway go to, by place of residence: K steps, L places, and the sites
    that patients come to by steps which do not follow them.
    """

    def __init__(self, network: Network, steps: Ints, places: Ints) -> None:
        self.network, self.steps, self.places = network, steps, places
        self.turns_away = (network.limit[steps] == 0).astype(float)
        self.follows = np.flatnonzero(network.choice[steps] == SAME_SITE)
        self.chosen = self._by_place()
        """Shares by the place alone."""
        self.sites = np.unique(network.unit_site[self.chosen.unit])
        self.sites = self.sites[self.sites >= 0]
        self.known = self._of_sites(self.chosen.share)
        """[L, K, sites] shares by the place alone."""
        self.at_site = network.choice_unit[network.choice_first[steps[self.follows]][:, None] + self.sites]
        """[steps that follow, sites] the unit of each step at each site, or -1."""
        self.moves = self.known.sum(axis=2, keepdims=True) > 0
        """[L, K, 1] whether a step sets the site."""
        self.moves[:, self.follows] = False

    def turned(self, shares: Shares, shut: Floats) -> Floats:
        """[L, K] share of each step's visits that find a unit shut where nobody may wait."""
        at = shares.place * len(self.steps) + shares.step
        found = _sums(at, shares.share * shut[shares.unit], (len(self.places), len(self.steps)))
        return np.asarray(self.turns_away * found)

    def let_in(self, visits: Floats, shares: Shares, shut: Floats) -> Floats:
        """[U] of visits (or what they bring) [L, K], those that come to each unit and are not turned away."""
        open_to = 1 - self.turns_away[shares.step] * shut[shares.unit]
        return _sums(shares.unit, visits[shares.place, shares.step] * shares.share * open_to, (len(shut),))

    def shares(self, flows: Floats, sent: Floats, shut: Floats) -> Shares:
        """Share of each step's visits that go to each unit.

        For steps at the site where the patient is, sites are followed along the flows [L, K, K] between steps, and
        those of patients sent away.
        """
        if not len(self.follows):
            return self.chosen
        come = self._sites(flows, sent, self._closed(shut))[:, self.follows]
        come[:, self.at_site < 0] = 0.0
        place, step, site = np.nonzero(come)
        followed = Shares(place, self.follows[step], self.at_site[step, site], come[place, step, site])
        return Shares(*(np.concatenate(pair) for pair in zip(self.chosen, followed, strict=True)))

    def _by_place(self) -> Shares:
        n, numbers = self.network, np.arange(len(self.places))
        none = np.zeros(0, np.int64)
        found = [Shares(none, none, none, np.zeros(0))]
        for k, step in enumerate(self.steps.tolist()):
            rows = n.choice_first[step] + self.places
            if n.choice[step] == BY_PLACE:
                units = n.choice_unit[rows]
                place = numbers[units >= 0]
                found.append(Shares(place, np.full(len(place), k), units[place], np.ones(len(place))))
            elif n.choice[step] == SHARES:
                for number, row in zip(numbers.tolist(), n.share_row[rows].tolist(), strict=True):
                    of_row = slice(int(n.share_first[row]), int(n.share_first[row + 1]))
                    units, share = n.share_unit[of_row], np.diff(n.share_cumulative[of_row], prepend=0.0)
                    found.append(Shares(np.full(len(units), number), np.full(len(units), k), units, share))
        return Shares(*(np.concatenate(parts) for parts in zip(*found, strict=True)))

    def _of_sites(self, shares: Floats) -> Floats:
        """[L, K, sites] shares of entries by the place alone, by the site of their units."""
        site = self.network.unit_site[self.chosen.unit]
        is_at_site = site >= 0
        shape = len(self.places), len(self.steps), len(self.sites)
        at = self.chosen.place * shape[1] + self.chosen.step
        at = at[is_at_site] * shape[2] + np.searchsorted(self.sites, site[is_at_site])
        return _sums(at, shares[is_at_site], shape)

    def _closed(self, shut: Floats) -> Floats:
        """[L, K, sites] share of those who come to a step at a site that its unit there sends away."""
        going = self._of_sites(self.chosen.share * shut[self.chosen.unit])
        closed = np.divide(going, self.known, out=np.zeros_like(going), where=self.known > 0)
        closed[:, self.follows] = np.where(self.at_site >= 0, shut[self.at_site], 0.0)
        return np.asarray(closed * self.turns_away[:, None])

    def _sites(self, flows: Floats, sent: Floats, closed: Floats) -> Floats:
        """[L, K, sites] where patients are when they come to each step.

        `closed` are those sites whose unit sends them away.
        """
        total = (flows + sent).sum(axis=1, keepdims=True)
        going, turned = (
            np.divide(some, total, out=np.zeros_like(some), where=total > 0).transpose(0, 2, 1)
            for some in (flows, sent)
        )
        after, some_closed = np.where(self.moves, self.known, 0.0), bool(closed.any())
        for _ in range(MOST_ROUNDS):
            come = going @ (_only(after, 1 - closed) if some_closed else after)
            if some_closed:
                come += turned @ _only(after, closed)
            sums = come.sum(axis=2, keepdims=True)
            come = np.divide(come, sums, out=np.zeros_like(come), where=sums > 0)
            before, after = after, np.where(self.moves, self.known, come)
            if np.abs(after - before).max(initial=0.0) < CLOSE_ENOUGH:
                break
        return np.asarray(come)


def _only(after: Floats, share: Floats) -> Floats:
    """[L, K, sites] where those are who are at some of the sites, as many in all as before."""
    some = after * share
    whole, left = after.sum(axis=2, keepdims=True), some.sum(axis=2, keepdims=True)
    return np.asarray(some * np.divide(whole, left, out=np.zeros_like(whole), where=left > 0))


def _sums(at: Ints, values: Floats, shape: tuple[int, ...]) -> Floats:
    """Sums of the values at each place of an array, counted through."""
    return np.asarray(np.bincount(at, values, math.prod(shape)), np.float64).reshape(shape)
