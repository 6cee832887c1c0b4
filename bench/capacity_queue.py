"""Questions as a queue: Poisson arrivals, so many execution environments, and a database with so many cores.

A question that finds no free environment is refused, as Lambda refuses it. One that is taken holds its environment
until it is answered: it waits for its embedding, then for a core of the database, first come first served, then for
its answer.
"""

import heapq
import math
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from bench.ranking import percentile

Seconds = Callable[[random.Random], float]
_Z95 = NormalDist().inv_cdf(0.95)
ARRIVED, AT_DATABASE, SEARCHED, ANSWERED = range(4)


@dataclass(frozen=True, slots=True)
class Course:
    """What a question goes through: before the database, in it on one core, and after it."""

    before: Seconds
    database: Seconds
    after: Seconds


@dataclass(frozen=True, slots=True)
class Observed:
    """Of the questions that were taken: seconds from arrival to answer, and of waiting for a core.

    ``refused`` is the share of all; ``database_busy`` the share of the cores that is at work.
    """

    times: Sequence[float]
    waits: Sequence[float]
    refused: float
    database_busy: float

    def p(self, share: float) -> float:
        return percentile(self.times, share)

    @property
    def mean_wait(self) -> float:
        return sum(self.waits) / len(self.waits)


def simulate(
    *, rate: float, course: Course, environments: float, cores: float, questions: int, seed: int = 1
) -> Observed:
    """``rate``: questions a second. The first tenth warms up, and is not counted."""
    chance = random.Random(seed)
    events: list[tuple[float, int, int, int]] = [(exponential(1 / rate)(chance), 0, ARRIVED, 0)]
    number = 0  # of the event: those of one moment happen in the order they were made
    arrived: dict[int, float] = {}
    waiting: deque[tuple[int, float]] = deque()
    times, waits, busy, working, refused, ended = [], [], 0.0, 0, 0, 0.0
    counted = questions // 10

    def later(seconds: float, what: int, who: int) -> None:
        nonlocal number
        number += 1
        heapq.heappush(events, (now + seconds, number, what, who))

    def start_search(who: int, came: float) -> None:
        nonlocal working, busy
        working += 1
        seconds = course.database(chance)
        if who >= counted:
            waits.append(now - came)
            busy += seconds
        later(seconds, SEARCHED, who)

    began = 0.0
    while events:
        now, _, what, who = heapq.heappop(events)
        if what == ARRIVED:
            if who == counted:
                began = now
            if who + 1 < questions:
                later(exponential(1 / rate)(chance), ARRIVED, who + 1)
            else:
                ended = now
            if len(arrived) >= environments:
                refused += who >= counted
                continue
            arrived[who] = now
            later(course.before(chance), AT_DATABASE, who)
        elif what == AT_DATABASE:
            if working < cores:
                start_search(who, now)
            else:
                waiting.append((who, now))
        elif what == SEARCHED:
            working -= 1
            later(course.after(chance), ANSWERED, who)
            if waiting:
                start_search(*waiting.popleft())
        else:
            took = now - arrived.pop(who)
            if who >= counted:
                times.append(took)
    share_of_cores = busy / (ended - began) / cores if cores < math.inf else 0.0
    return Observed(times, waits, refused / (questions - counted), share_of_cores)


def exponential(mean: float) -> Seconds:
    return lambda chance: -mean * math.log(1 - chance.random())


def constant(seconds: float) -> Seconds:
    return lambda _chance: seconds


def lognormal(p50: float, p95: float) -> Seconds:
    """The distribution with these two percentiles: most times near the middle, a few much longer."""
    sigma = math.log(p95 / p50) / _Z95
    unit = NormalDist()
    return lambda chance: p50 * math.exp(sigma * unit.inv_cdf(min(max(chance.random(), 1e-12), 1 - 1e-12)))


def mean_of_lognormal(p50: float, p95: float) -> float:
    return p50 * math.exp((math.log(p95 / p50) / _Z95) ** 2 / 2)


def erlang_b(servers: int, load: float) -> float:
    """The share refused of Poisson arrivals that find all servers busy; ``load`` is rate times mean service time.

    By the recursion over servers: L. Kleinrock, Queueing Systems I, 3.5-3.6.
    """
    refused = 1.0
    for server in range(1, servers + 1):
        refused = load * refused / (server + load * refused)
    return refused


def erlang_c(servers: int, load: float) -> float:
    """The share that has to wait for a server, of exponential service times and a queue without end (the same, 3.5)."""
    refused = erlang_b(servers, load)
    return refused / (1 - load / servers * (1 - refused))
