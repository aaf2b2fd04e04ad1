"""Which states are measured, in what order, and for how long: a run that is cut short is balanced all the same. Also
when a state has been sampled enough. Needs no PyTorch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cases
from cases import Plan, Skip, Work
from chips import Chip
from usage import check_names


@dataclass(frozen=True)
class Criterion:
    """Sampling stops when the median is known to within `noise`, or the time of the state is used up."""

    noise: float = 0.005  # standard error of the median over the median
    min_samples: int = 10
    max_samples: int = 400
    max_time_s: float = 0.5


@dataclass(frozen=True)
class Summary:
    median_s: float
    spread: float  # interquartile range over the median
    uncertainty: float  # standard error of the median over the median
    samples: int


def _quantile(ordered: list[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def summarize(seconds: list[float]) -> Summary:
    """Of at least one sample. The standard error is that of a normal distribution's median with the interquartile
    range found, 1.2533 (IQR / 1.349) / sqrt(n): stray samples do not move it."""
    ordered = sorted(seconds)
    median = _quantile(ordered, 0.5)
    spread = (_quantile(ordered, 0.75) - _quantile(ordered, 0.25)) / median
    return Summary(median, spread, 1.2533 * spread / 1.349 / math.sqrt(len(ordered)), len(ordered))


def is_settled(seconds: list[float], elapsed_s: float, criterion: Criterion) -> bool:
    if len(seconds) < criterion.min_samples:
        return elapsed_s >= 4 * criterion.max_time_s and len(seconds) > 0
    if len(seconds) >= criterion.max_samples or elapsed_s >= criterion.max_time_s:
        return True
    return summarize(seconds).uncertainty <= criterion.noise


@dataclass(frozen=True)
class Selection:
    works: list[Work]
    left_out: list[tuple[str, str]]  # state, reason


def select(groups: list[str], names: list[str], filters: dict[str, list[str]], chip: Chip) -> Selection:
    """The states that the user asked for and the chip can hold, each row once. Throws UsageError on unknown names."""
    check_names("group", groups, cases.GROUPS)
    check_names("case", names, [case.name for case in cases.CASES])
    chosen = [c for c in cases.CASES if (not groups or c.group in groups) and (not names or c.name in names)]
    for axis, values in filters.items():
        check_names("axis", [axis], sorted({name for case in chosen for name in case.axes}))
        known = list(dict.fromkeys(value for case in chosen for value in case.axes.get(axis, [])))
        check_names(f"value of the axis '{axis}':", values, known)
    works, left_out = [], []
    seen = set()
    for case in chosen:
        for state in cases.states_of(case, filters):
            plan = case.plan(state)
            name = case.name + "".join(f" {axis}={value}" for axis, value in state.items())
            if isinstance(plan, Skip):
                left_out.append((name, plan.reason))
                continue
            needed = plan.rotated_bytes + plan.memory_bytes
            if needed > 0.9 * chip.memory_bytes:
                left_out.append((name, f"needs {needed / 2**30:.3g} GiB of device memory"))
                continue
            key = tuple(sorted(plan.identity.items()))
            if key not in seen:
                seen.add(key)
                works.append(Work(case, state, plan))
    return Selection(works, left_out)


_WARM_UP_S = 0.05
_REPLAYS = 60  # of one state, about
_SHORTEST_REPLAY_S = 5e-4
_FILLED_BYTES_PER_S = 300e9


def estimate_s(plan: Plan, chip: Chip, criterion: Criterion) -> float:
    """Wall time of measuring one state."""
    replay = max(cases.launch_guess(plan, chip), _SHORTEST_REPLAY_S)
    copies = cases.copies_of(plan, chip, chip.memory_bytes)
    filled = (copies * plan.rotated_bytes + plan.memory_bytes) / _FILLED_BYTES_PER_S
    sampled = min(max(_REPLAYS * replay, replay), max(replay, criterion.max_time_s))
    return plan.set_up_s + filled + max(_WARM_UP_S, 2 * replay) + sampled


_REPLAYED_S = 1e-3  # that one replay of the graph takes at least, by the guess
_MOST_KERNELS = 4000  # in one graph


def launches_of(plan: Plan, chip: Chip, copies: int) -> int:
    """Launches of one graph: whole turns of the copies, long enough to time and short enough to capture."""
    turns = math.ceil(_REPLAYED_S / (copies * cases.launch_guess(plan, chip)))
    most = _MOST_KERNELS // (plan.kernels * copies)
    return copies * max(1, min(turns, most))


def _strided(count: int, seed: int) -> list[int]:
    """0 … count - 1 by golden-section steps: any beginning of it is spread evenly."""
    stride = max(1, round(count * 0.6180339887))
    while math.gcd(stride, count) != 1:
        stride += 1
    return [(seed + i * stride) % count for i in range(count)]


def balanced_order(works: list[Work], chip: Chip, criterion: Criterion, seed: int) -> list[Work]:
    """Groups in turn by the time that they have had, cases of a group likewise, states of a case spread over its
    axes."""
    queues: dict[str, list[Work]] = {}
    for work in works:
        queues.setdefault(work.case.name, []).append(work)
    for name, queue in queues.items():
        queues[name] = [queue[i] for i in _strided(len(queue), seed)][::-1]
    used_by_case = {name: 0.0 for name in queues}
    used_by_group = {name.split(".")[0]: 0.0 for name in queues}
    ordered = []
    while queues:
        name = min(queues, key=lambda n: (used_by_group[n.split(".")[0]], used_by_case[n]))
        work = queues[name].pop()
        if not queues[name]:
            del queues[name]
        cost = estimate_s(work.plan, chip, criterion)
        used_by_case[name] += cost
        used_by_group[work.case.group] += cost
        ordered.append(work)
    return ordered


def within_budget(works: list[Work], chip: Chip, criterion: Criterion, budget_s: float) -> list[Work]:
    """The states that fit, in order; one that does not leaves its place to shorter ones."""
    fitting, used = [], 0.0
    for work in works:
        cost = estimate_s(work.plan, chip, criterion)
        if used + cost <= budget_s:
            used += cost
            fitting.append(work)
    return fitting
