"""The simulation of questions as a queue, against the theory of such queues."""

import math

import pytest

from bench.capacity_queue import (
    Course,
    Observed,
    Seconds,
    constant,
    erlang_b,
    erlang_c,
    exponential,
    lognormal,
    mean_of_lognormal,
    simulate,
)

NO_TIME = constant(0.0)


def queue(servers: int, load: float, *, seconds: Seconds | None = None, questions: int = 80_000) -> Observed:
    """A database alone, whose cores need a second for a question in the mean."""
    course = Course(NO_TIME, seconds or exponential(1.0), NO_TIME)
    return simulate(rate=load, course=course, environments=math.inf, cores=servers, questions=questions)


def test_erlangs_formulas_give_the_values_of_the_textbooks() -> None:
    assert erlang_b(1, 0.5) == pytest.approx(1 / 3)
    assert erlang_b(10, 7.0) == pytest.approx(0.0787, abs=1e-4)
    assert erlang_c(1, 0.8) == pytest.approx(0.8)
    assert erlang_c(2, 1.0) == pytest.approx(1 / 3)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (2, 1.2), (4, 2.8), (16, 11.2)])
def test_the_mean_wait_for_a_core_is_that_of_an_m_m_c_queue(servers: int, load: float) -> None:
    expected = erlang_c(servers, load) / (servers - load)
    assert queue(servers, load).mean_wait == pytest.approx(expected, rel=0.08)


def test_the_percentiles_of_a_queue_with_one_core_are_those_of_its_exponential_distribution() -> None:
    seen = queue(1, 0.6)
    for share in (0.5, 0.95):
        assert seen.p(share) == pytest.approx(-math.log(1 - share) / 0.4, rel=0.06)


def test_constant_service_times_wait_half_as_long_as_exponential_ones() -> None:
    """Pollaczek and Khinchine, for one server."""
    assert queue(1, 0.7, seconds=constant(1.0)).mean_wait == pytest.approx(0.7 / (2 * 0.3), rel=0.06)


def test_the_cores_are_busy_as_much_as_the_load_demands() -> None:
    assert queue(4, 3.0).database_busy == pytest.approx(0.75, rel=0.02)


@pytest.mark.parametrize(
    ("seconds", "mean"),
    [(exponential(1.0), 1.0), (constant(1.0), 1.0), (lognormal(0.9, 1.8), mean_of_lognormal(0.9, 1.8))],
)
def test_the_share_that_finds_no_environment_is_erlangs_whatever_the_service_times(
    seconds: Seconds, mean: float
) -> None:
    """The loss formula asks for nothing but their mean."""
    course = Course(NO_TIME, NO_TIME, seconds)
    seen = simulate(rate=8.0, course=course, environments=10, cores=math.inf, questions=80_000)
    assert seen.refused == pytest.approx(erlang_b(10, 8.0 * mean), abs=0.006)


def test_a_question_takes_its_steps_one_after_the_other() -> None:
    course = Course(constant(1.0), constant(0.25), constant(2.0))
    alone = simulate(rate=0.001, course=course, environments=1, cores=1, questions=1000)
    assert alone.p(0.99) == pytest.approx(3.25)


def test_a_distribution_has_the_percentiles_that_were_measured() -> None:
    seen = queue(1, 0.001, seconds=lognormal(0.0182, 0.0263), questions=40_000)
    assert [seen.p(0.5), seen.p(0.95)] == pytest.approx([0.0182, 0.0263], rel=0.02)


def test_the_same_seed_gives_the_same_course_of_events() -> None:
    assert queue(2, 1.5, questions=5000) == queue(2, 1.5, questions=5000)
