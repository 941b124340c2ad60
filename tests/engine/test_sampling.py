"""Random numbers by address, quantile functions, and what remains for someone found inside."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import timeit
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import scipy.special
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

import flowsim.engine
from flowsim.engine import addresses, distributions, sampling
from flowsim.engine.sampling import Family, Purpose

Floats = npt.NDArray[np.float64]

ROOT = Path(flowsim.engine.__file__).parents[2]
ALL_ONES = 0xFFFFFFFF
SMALLEST_UNIFORM = 2.0**-53
GREATEST_UNIFORM = 1.0 - 2.0**-53
KEY = sampling.stream_key(1, "emergency")
WORD = sampling.step_hash("ward")

# Source: kat_vectors of the Random123 distribution, philox4x32, 10 rounds.
KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def words(text: str) -> tuple[int, ...]:
    return tuple(int(word, 16) for word in text.split())


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_gives_the_published_answers(counter: str, key: str, answer: str) -> None:
    assert tuple(sampling.philox(*words(key), *words(counter))) == words(answer)


def test_a_uniform_is_made_of_the_published_words() -> None:
    # The third known answer, reached through an address: its key, its counter, its first two words.
    key0, key1 = words(KNOWN_ANSWERS[2][1])
    index, replication, word, last = words(KNOWN_ANSWERS[2][0])
    key = (key1 << 32) | key0
    address = (replication, last >> 26, index, (last >> 22) & 15, word, last & 0x3FFFFF)
    bits = (0xD16CFE0994FDCCEB >> 12, 0x5001E42024126EA1 >> 12)
    u, v = sampling.uniform_pair(key, *address)
    assert (u, v) == tuple((x + 0.5) / 2.0**52 for x in bits)
    assert sampling.uniform(key, *address) == u


addresses_of_draws = st.tuples(
    st.integers(0, addresses.REPLICATIONS - 1),
    st.integers(0, addresses.LAYERS - 1),
    st.integers(0, addresses.INDICES - 1),
    st.sampled_from([int(purpose) for purpose in Purpose]),
    st.integers(0, ALL_ONES),
    st.integers(0, addresses.OCCURRENCES - 1),
)


@given(addresses_of_draws, addresses_of_draws)
def test_two_addresses_never_meet_in_one_counter(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    counters = [tuple(sampling.counter(*address)) for address in (one, other)]
    assert (counters[0] == counters[1]) == (one == other)
    assert all(0 <= word <= ALL_ONES for counter in counters for word in counter)


@given(addresses_of_draws, st.integers(0, 5), st.data())
def test_an_address_that_differs_in_one_part_has_another_counter(
    address: tuple[int, ...], part: int, data: st.DataObject
) -> None:
    limits = (addresses.REPLICATIONS, addresses.LAYERS, addresses.INDICES, 16, 1 << 32, addresses.OCCURRENCES)
    changed = list(address)
    changed[part] = data.draw(st.integers(0, limits[part] - 1).filter(lambda value: value != address[part]))
    assert tuple(sampling.counter(*address)) != tuple(sampling.counter(*changed))


@given(addresses_of_draws, st.integers(-(2**63), 2**63 - 1))
def test_uniforms_of_any_address_are_strictly_inside(address: tuple[int, ...], key: int) -> None:
    assert all(0.0 < u < 1.0 for u in sampling.uniform_pair(key, *address))


def test_extreme_words_are_strictly_inside_too() -> None:
    assert sampling.open_unit(0, 0) == SMALLEST_UNIFORM > 0.0
    assert sampling.open_unit(ALL_ONES, ALL_ONES) == GREATEST_UNIFORM < 1.0
    assert sampling.open_unit(0x80000000, 0) == 0.5 + 2.0**-53
    assert sampling.open_unit(0, 1 << 12) == 1.5 * 2.0**-52


def test_purposes_fit_in_four_bits_and_are_distinct() -> None:
    assert sorted(int(purpose) for purpose in Purpose) == list(range(len(Purpose)))
    assert len(Purpose) <= 16


def test_streams_and_seeds_have_keys_of_their_own() -> None:
    keys = {sampling.stream_key(seed, name) for seed in (0, 1, 2**64 - 1) for name in ("", "a", "b", "ab", "é")}
    assert len(keys) == 15
    assert all(-(2**63) <= key < 2**63 for key in keys)
    # As `b2sum -l 64` and `b2sum -l 32` print them, read from the last byte to the first.
    assert sampling.stream_key(1, "a") == 0x80489184ECF46FB8 - 2**64
    assert sampling.step_hash("ward") == 0x01031D63
    assert 0 <= sampling.step_hash("é") <= ALL_ONES


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(ValueError, match=r"must be from 0 to 2\^64 - 1"):
        sampling.stream_key(seed, "a")


def draw_uniforms(count: int, purpose: int = 5, word: int = WORD) -> tuple[Floats, Floats]:
    pairs = np.array([sampling.uniform_pair(KEY, 0, 0, i, purpose, word, 0) for i in range(count)])
    return pairs[:, 0], pairs[:, 1]


def check_uniforms(count: int) -> None:
    u, v = draw_uniforms(count)
    other, _ = draw_uniforms(count, purpose=7)
    for one in (u, v):
        assert scipy.stats.kstest(one, "uniform").pvalue > 0.001
    for one, two in ((u, v), (u, other), (u[1:], u[:-1])):
        cells, *_ = np.histogram2d(one, two, bins=16, range=((0, 1), (0, 1)))
        assert scipy.stats.chisquare(cells.ravel()).pvalue > 0.001


def test_uniforms_are_uniform_and_neighbours_independent() -> None:
    check_uniforms(20_000)


@pytest.mark.slow
def test_a_million_uniforms_are_uniform_and_neighbours_independent() -> None:
    check_uniforms(1_000_000)


POINTS = (0.0, 0.25, 0.8, 1.0, 0.5, 2.0, 3.0, 12.0)
CASES: dict[str, tuple[Family, tuple[float, ...]]] = {
    "exponential": (Family.EXPONENTIAL, (30.0,)),
    "lognormal": (Family.LOGNORMAL, distributions.lognormal_parameters(5.0, 4.0)),
    "gamma of small shape": (Family.GAMMA, distributions.gamma_parameters(5.0, 8.0)),
    "gamma of large shape": (Family.GAMMA, distributions.gamma_parameters(5.0, 1.0)),
    "Weibull": (Family.WEIBULL, distributions.weibull_parameters(5.0, 3.0)),
    "Weibull of small shape": (Family.WEIBULL, distributions.weibull_parameters(5.0, 9.0)),
    "hyperexponential": (Family.HYPEREXPONENTIAL, distributions.hyperexponential_parameters(5.0, 9.0)),
    "uniform": (Family.UNIFORM, (2.0, 9.0)),
    "empirical": (Family.EMPIRICAL, (4.0, *POINTS)),
}


def survival(kind: Family, values: tuple[float, ...]) -> Callable[[Floats], Floats]:
    """1 - F of the family, from scipy or from the definition, not from flowsim's quantiles."""
    if kind == Family.EXPONENTIAL:
        return lambda x: np.exp(-x / values[0])
    if kind == Family.LOGNORMAL:
        return lambda x: scipy.stats.lognorm.sf(x, values[1], scale=math.exp(values[0]))
    if kind == Family.GAMMA:
        return lambda x: scipy.stats.gamma.sf(x, values[0], scale=values[1])
    if kind == Family.WEIBULL:
        return lambda x: scipy.stats.weibull_min.sf(x, values[0], scale=values[1])
    if kind == Family.HYPEREXPONENTIAL:
        share, mean, other = values[1], values[3], values[4]
        return lambda x: share * np.exp(-x / mean) + (1.0 - share) * np.exp(-x / other)
    if kind == Family.UNIFORM:
        return lambda x: 1.0 - np.clip((x - values[0]) / (values[1] - values[0]), 0.0, 1.0)
    assert kind == Family.EMPIRICAL
    n = int(values[0])
    return lambda x: 1.0 - np.interp(x, values[1 + n :], values[1 : 1 + n])


def moments(kind: Family, values: tuple[float, ...]) -> tuple[float, float]:
    """Mean and mean square, by integrating the survival function on a fine grid."""
    x = np.concatenate(([0.0], np.geomspace(1e-9, 1e5, 400_001)))
    tail = survival(kind, values)(x)
    return float(np.trapezoid(tail, x)), float(np.trapezoid(2.0 * x * tail, x))


def draw_stays(kind: Family, values: tuple[float, ...], count: int) -> Floats:
    parameters = np.array((-1.0, *values))
    return np.array(
        [
            sampling.quantile(int(kind), sampling.uniform(KEY, 0, 0, i, 5, WORD, 0), parameters, 1, i)
            for i in range(count)
        ]
    )


def draw_residuals(kind: Family, values: tuple[float, ...], count: int) -> Floats:
    parameters = np.array((-1.0, *values))
    pairs = (sampling.uniform_pair(KEY, 0, 0, i, 10, WORD, 0) for i in range(count))
    return np.array([sampling.residual(int(kind), *pair, parameters, 1, 0) for pair in pairs])


def check_stays(name: str, count: int) -> None:
    kind, values = CASES[name]
    drawn = draw_stays(kind, values, count)
    tail = survival(kind, values)
    assert scipy.stats.kstest(drawn, lambda x: 1.0 - tail(x)).pvalue > 0.001
    mean, square = moments(kind, values)
    for got, expected in ((drawn, mean), (drawn * drawn, square)):
        assert abs(got.mean() - expected) <= 5.0 * got.std() / math.sqrt(count)


def check_residuals(name: str, count: int) -> None:
    kind, values = CASES[name]
    drawn = draw_residuals(kind, values, count)
    mean, square = moments(kind, values)
    assert abs(drawn.mean() - square / (2.0 * mean)) <= 5.0 * drawn.std() / math.sqrt(count)
    x = np.concatenate(([0.0], np.geomspace(1e-9, 1e5, 200_001)))
    tail = survival(kind, values)(x)
    shares = np.concatenate(([0.0], np.cumsum(0.5 * (tail[1:] + tail[:-1]) * np.diff(x)))) / mean
    assert scipy.stats.kstest(drawn, lambda t: np.interp(t, x, shares)).pvalue > 0.001


@pytest.mark.parametrize("name", CASES)
def test_stays_follow_their_distribution(name: str) -> None:
    check_stays(name, 20_000)


@pytest.mark.parametrize("name", CASES)
def test_someone_found_inside_has_the_equilibrium_residual(name: str) -> None:
    check_residuals(name, 20_000)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_million_stays_and_residuals_follow_their_distribution(name: str) -> None:
    check_stays(name, 1_000_000)
    check_residuals(name, 1_000_000)


def test_residuals_of_fixed_and_listed_stays_are_a_share_of_the_stay() -> None:
    fixed = draw_residuals(Family.FIXED, (8.0,), 5_000)
    assert scipy.stats.kstest(fixed / 8.0, "uniform").pvalue > 0.001
    listed = np.array([3.0, 10.0, 20.0, 40.0])
    assert sampling.residual(int(Family.LISTED), 0.9, 0.25, listed, 0, 2) == 10.0


def test_a_listed_stay_is_the_value_of_the_patients_index() -> None:
    parameters = np.array([9.0, 3.0, 10.0, 20.0, 40.0])
    assert [sampling.quantile(int(Family.LISTED), 0.5, parameters, 1, i) for i in range(3)] == [
        10.0,
        20.0,
        40.0,
    ]


def test_empirical_quantiles_pass_through_their_points_and_keep_jumps_and_atoms() -> None:
    # Half of the patients stay exactly 1; the others between 3 and 5, none between 1 and 3.
    parameters = np.array([4.0, 0.0, 0.5, 0.5, 1.0, 1.0, 1.0, 3.0, 5.0])
    at = {0.1: 1.0, 0.5: 1.0, 0.50001: 3.00004, 0.75: 4.0, 0.999999: 4.999996}
    for u, value in at.items():
        assert sampling.quantile(int(Family.EMPIRICAL), u, parameters, 0, 0) == pytest.approx(value, rel=1e-12)
    # By hand: a fifth of the mean of 2.5 comes from the atom, so u = 0.1 falls there, and u = 1 at the top.
    assert sampling.residual(int(Family.EMPIRICAL), 0.1, 0.5, parameters, 0, 0) == 0.5
    assert sampling.residual(int(Family.EMPIRICAL), GREATEST_UNIFORM, 0.5, parameters, 0, 0) == pytest.approx(2.5)


def test_quantiles_agree_with_scipy() -> None:
    parameters = np.array([2.5, 3.0])
    for u in (SMALLEST_UNIFORM, 1e-6, 0.2, 0.5, 0.77, 0.999, GREATEST_UNIFORM):
        got = {
            kind: sampling.quantile(int(kind), u, parameters, 0, 0)
            for kind in (Family.EXPONENTIAL, Family.LOGNORMAL, Family.GAMMA, Family.WEIBULL, Family.UNIFORM)
        }
        assert got[Family.EXPONENTIAL] == pytest.approx(-2.5 * math.log1p(-u), rel=1e-14)
        assert got[Family.LOGNORMAL] == pytest.approx(math.exp(2.5 + 3.0 * scipy.special.ndtri(u)), rel=1e-13)
        assert got[Family.GAMMA] == pytest.approx(3.0 * scipy.special.gammaincinv(2.5, u), rel=1e-13)
        assert got[Family.WEIBULL] == pytest.approx(3.0 * (-math.log1p(-u)) ** 0.4, rel=1e-13)
        assert got[Family.UNIFORM] == pytest.approx(2.5 + 0.5 * u, rel=1e-15)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("u", [SMALLEST_UNIFORM, GREATEST_UNIFORM])
def test_the_most_extreme_uniforms_give_finite_stays(name: str, u: float) -> None:
    kind, values = CASES[name]
    parameters = np.array(values)
    assert 0.0 <= sampling.quantile(int(kind), u, parameters, 0, 0) < math.inf
    for v in (SMALLEST_UNIFORM, GREATEST_UNIFORM):
        assert 0.0 <= sampling.residual(int(kind), u, v, parameters, 0, 0) < math.inf


@pytest.mark.parametrize("name", [name for name in CASES if name != "hyperexponential"])
def test_quantiles_rise_with_their_uniform(name: str) -> None:
    kind, values = CASES[name]
    parameters = np.array(values)
    grid = [SMALLEST_UNIFORM, *((i + 0.5) / 2_000 for i in range(2_000)), GREATEST_UNIFORM]
    found = np.array([sampling.quantile(int(kind), u, parameters, 0, 0) for u in grid])
    assert (np.diff(found) > 0.0).all()


def test_durations_are_rounded_half_up_once_and_bounded() -> None:
    assert [sampling.whole_ms(x, 10.0) for x in (0.0, 0.049, 0.05, 0.149, 0.15)] == [0, 0, 1, 1, 2]
    assert sampling.whole_ms(1e300, 1e10) == 2**53
    assert sampling.whole_ms(math.inf, 1.0) == 2**53
    assert sampling.whole_ms(-3.0, 1.0) == 0


def test_a_stay_in_milliseconds_is_the_scaled_quantile_at_its_address() -> None:
    parameters = np.array([0.0, 0.0, *CASES["lognormal"][1]])
    for i in range(200):
        address = (KEY, 4, 1, i, int(Purpose.STAY), WORD, 2)
        hours = sampling.quantile(int(Family.LOGNORMAL), sampling.uniform(*address), parameters, 2, i)
        stay = sampling.stay_ms(*address, int(Family.LOGNORMAL), 2, 3_600_000.0, parameters)
        assert stay == math.floor(hours * 3_600_000.0 + 0.5)
        left = sampling.residual(int(Family.LOGNORMAL), *sampling.uniform_pair(*address), parameters, 2, i)
        ms = sampling.residual_ms(*address, int(Family.LOGNORMAL), 2, 3_600_000.0, parameters)
        assert ms == math.floor(left * 3_600_000.0 + 0.5)


def test_gaps_between_candidates_are_exponential() -> None:
    gaps = np.array([sampling.gap_ms(KEY, 0, 0, i, 90_000.0) for i in range(20_000)])
    assert scipy.stats.kstest(gaps, "expon", args=(0.0, 90_000.0)).pvalue > 0.001
    assert min(sampling.gap_ms(KEY, 0, 0, i, 0.5) for i in range(100)) == 0


def bits(**environment: str) -> dict[str, list[str]]:
    program = Path(__file__).with_name("bits_of_sampling.py")
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **environment}
    done = subprocess.run([sys.executable, str(program)], env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_every_function_gives_the_same_bits_with_the_jit_off() -> None:
    compiled = bits(NUMBA_DISABLE_JIT="0")
    assert len(compiled) == 14
    assert bits(NUMBA_DISABLE_JIT="1") == compiled


@pytest.mark.slow
def test_every_function_gives_the_same_bits_on_a_plainer_processor() -> None:
    plainer = bits(NUMBA_CPU_NAME="generic", GLIBC_TUNABLES="glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F")
    assert plainer == bits(NUMBA_DISABLE_JIT="0")


def test_a_call_from_python_costs_less_than_two_microseconds() -> None:
    # Twice what is promised at most, so that a busy machine does not fail it; the best of several counts.
    address = (KEY, 0, 0, 5, 5, WORD, 0)
    sampling.uniform(*address)
    best = min(timeit.repeat(lambda: sampling.uniform(*address), number=2_000, repeat=20)) / 2_000
    assert best < 2e-6
