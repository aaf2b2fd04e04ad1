"""One run over the scheduled states: measures each, writes its row at once, goes on past what cannot be measured, and
ends cleanly on an interruption or at the budget. It knows nothing of PyTorch: `measure` does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, TextIO, Union

import schedule
from cases import Skip, Work
from chips import Chip
from results import ResultFile, Row, Sidecar
from schedule import Criterion, Summary
from usage import number_text, time_text


@dataclass(frozen=True)
class Measured:
    time: Summary  # of one operation
    software: str
    copies: int
    wrong: str = ""  # what the check found; empty where right


@dataclass(frozen=True)
class Failure:
    message: str
    fatal: bool = False  # the device can do nothing more in this process


Outcome = Union[Measured, Skip, Failure]


@dataclass
class Campaign:
    chip: Chip
    criterion: Criterion
    measure: Callable[[Work], Outcome]
    elapsed_s: Callable[[], float]  # since the program began
    is_interrupted: Callable[[], bool]
    messages: TextIO
    budget_s: float | None = None


@dataclass
class Ending:
    rows: int = 0
    skipped: int = 0  # on the device: no memory, no kernel
    wrong: int = 0
    failed: int = 0
    present: int = 0  # were in the file before
    beyond_budget: int = 0
    interrupted: bool = False
    fatal: bool = False

    def facts(self, finished: bool, wall_s: float) -> dict[str, object]:
        return {
            "finished": finished,
            "rows": self.rows,
            "skipped": self.skipped,
            "wrong_results": self.wrong,
            "failed": self.failed,
            "wall_s": round(wall_s, 3),
        }


def make_row(chip: Chip, work: Work, measured: Measured) -> Row:
    row = {"device": chip.name, **work.plan.identity}
    row["time_us"] = number_text(measured.time.median_s * 1e6)
    if measured.wrong:
        row["flag"] = "wrong_result"
    row["software"] = measured.software
    row["source"] = "mlosim/torch"
    row["samples"] = str(measured.time.samples)
    row["spread"] = number_text(measured.time.spread, 3)
    row["uncertainty"] = number_text(measured.time.uncertainty, 3)
    row["copies"] = str(measured.copies)
    return row


@dataclass
class _Progress:
    """What stands on the terminal while a state is measured, and is wiped for any other line."""

    messages: TextIO
    shown: bool = field(default=False)

    def show(self, text: str) -> None:
        if self.messages.isatty():
            self.messages.write("\r\033[K" + text)
            self.messages.flush()
            self.shown = True

    def say(self, line: str) -> None:
        self.wipe()
        self.messages.write(line + "\n")
        self.messages.flush()

    def wipe(self) -> None:
        if self.shown:
            self.messages.write("\r\033[K")
        self.shown = False


def _take(outcome: Outcome, campaign: Campaign, work: Work, results: ResultFile, say: Callable[[str], None],
          ending: Ending) -> None:  # fmt: skip
    if isinstance(outcome, Skip):
        ending.skipped += 1
        say(f"skipped: {work.name}: {outcome.reason}")
    elif isinstance(outcome, Failure):
        ending.failed += 1
        ending.fatal = outcome.fatal
        say(f"failed: {work.name}: {outcome.message}")
    else:
        results.append(make_row(campaign.chip, work, outcome))
        ending.rows += 1
        if outcome.wrong:
            ending.wrong += 1
            say(f"wrong result: {work.name}: {outcome.wrong}")


def run(campaign: Campaign, works: list[Work], results: ResultFile, sidecar: Sidecar) -> Ending:
    """Takes `works` in their order. The sidecar is written first, and last with how it ended, also where measuring
    throws."""
    ending = Ending()
    sidecar.write(ending.facts(False, 0.0))
    progress = _Progress(campaign.messages)
    finished = False
    try:
        costs = [schedule.estimate_s(work.plan, campaign.chip, campaign.criterion) for work in works]
        left = sum(costs)
        for number, (work, cost) in enumerate(zip(works, costs), 1):
            if campaign.is_interrupted():
                ending.interrupted = True
                break
            if results.contains(campaign.chip.name, work.plan.identity):
                ending.present += 1
            elif campaign.budget_s is not None and campaign.elapsed_s() + cost > campaign.budget_s:
                ending.beyond_budget += 1
            else:
                progress.show(f"[{number}/{len(works)}] {work.name}, about {time_text(left)} left")
                _take(campaign.measure(work), campaign, work, results, progress.say, ending)
            left -= cost
            if ending.fatal:
                break
        finished = not (ending.interrupted or ending.fatal)
    finally:
        progress.wipe()
        sidecar.write(ending.facts(finished, campaign.elapsed_s()))
    return ending
