#!/usr/bin/env python3
"""Measures what PyTorch users run, into the measurement table of mlosim: SDPA by back end, routed experts, compiled
norms, linear layers. Planning (--list, --dry-run) needs neither PyTorch nor a GPU. README.md says how it measures.
"""

from __future__ import annotations

import datetime
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from typing import Callable, TextIO

import campaign as campaigns
import cases
import schedule
from campaign import Campaign, Ending, Outcome
from cases import Work
from chips import CHIPS, Chip, chip_named
from results import ResultFile, Sidecar, sidecar_path
from schedule import Criterion, Selection
from usage import (
    UsageError,
    parse_duration,
    parse_list,
    parse_share,
    parse_whole,
    spelling_hint,
    time_text,
)

DONE, ANSWER_IS_NO, WRONG_INPUT, OUR_MISTAKE, INTERRUPTED = 0, 1, 2, 3, 130


@dataclass
class Arguments:
    help: bool = False
    show_list: bool = False
    dry_run: bool = False
    resume: bool = False
    cases: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    axes: dict[str, list[str]] = field(default_factory=dict)
    output: str | None = None
    device: int = 0
    device_name: str | None = None
    seed: int = 0
    budget_s: float | None = None
    criterion: Criterion = Criterion()


def _set_axis(arguments: Arguments, text: str) -> None:
    axis, equals, values = text.partition("=")
    if not axis or not equals:
        raise UsageError(f"--axis: '{text}' names no values", "write it as batch=1,16")
    arguments.axes[axis] = parse_list("--axis", values)


def _set_device_name(arguments: Arguments, text: str) -> None:
    if not re.fullmatch("[a-z0-9_]+", text):
        raise UsageError(
            f"--device-name: '{text}' is no name of a chip", "small letters, digits and underscores, such as h100_sxm"
        )
    arguments.device_name = text


def _set_criterion(arguments: Arguments, **changes: float) -> None:
    arguments.criterion = replace(arguments.criterion, **changes)


@dataclass(frozen=True)
class Option:
    name: str
    value: str | None  # what the value is called; None for a flag
    text: str
    set: Callable[[Arguments, str], None]


OPTIONS = [
    Option("--list", None, "print the cases with their axes and stop", lambda a, _: setattr(a, "show_list", True)),
    Option("--dry-run", None, "print what would be measured, in order, and stop; needs no GPU and no PyTorch",
           lambda a, _: setattr(a, "dry_run", True)),
    Option("--group", "NAME,...", "only cases of these groups",
           lambda a, v: setattr(a, "groups", parse_list("--group", v))),
    Option("--case", "NAME,...", "only these cases", lambda a, v: setattr(a, "cases", parse_list("--case", v))),
    Option("--axis", "NAME=VALUE,...", "only these values of an axis; may be given for several axes", _set_axis),
    Option("--output", "FILE", "the CSV to write; default: the chip's name and _torch.csv, here",
           lambda a, v: setattr(a, "output", v)),
    Option("--resume", None, "go on in a CSV that exists: measure what it lacks",
           lambda a, _: setattr(a, "resume", True)),
    Option("--budget", "TIME", "measure a balanced part that takes about so long, such as 5min",
           lambda a, v: setattr(a, "budget_s", parse_duration("--budget", v))),
    Option("--max-time", "TIME", "the longest that one state is sampled; default 500ms",
           lambda a, v: _set_criterion(a, max_time_s=parse_duration("--max-time", v))),
    Option("--criterion", "SHARE", "standard error of the median at which sampling stops; default 0.5%",
           lambda a, v: _set_criterion(a, noise=parse_share("--criterion", v))),
    Option("--device", "N", "which GPU, as PyTorch counts them; default 0",
           lambda a, v: setattr(a, "device", parse_whole("--device", v))),
    Option("--device-name", "CHIP", "the chip's name in mlosim, where the GPU is not known or to plan without one",
           _set_device_name),
    Option("--seed", "N", "begins the order elsewhere; default 0",
           lambda a, v: setattr(a, "seed", parse_whole("--seed", v))),
    Option("--help", None, "print this", lambda a, _: setattr(a, "help", True)),
]  # fmt: skip


def parse_arguments(words: list[str]) -> Arguments:
    arguments = Arguments()
    by_name = {option.name: option for option in OPTIONS}
    rest = list(words)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if not name.startswith("-"):
            raise UsageError(f"'{name}' is not expected: there are only options", "see --help")
        if name not in by_name:
            raise UsageError(f"there is no option '{name}'", spelling_hint(name, list(by_name)))
        option = by_name[name]
        if option.value is None and equals:
            raise UsageError(f"{name} takes no value")
        if option.value is not None and not equals:
            if not rest:
                raise UsageError(f"{name} needs a value: {option.value}", "see --help")
            value = rest.pop(0)
        option.set(arguments, value)
    return arguments


def usage() -> str:
    lines = [
        "measure.py: measures what PyTorch runs on a GPU, for mlosim",
        "",
        "Usage: python3 measure.py [options]",
        "",
        "Writes one row a state to a CSV as it goes, and what GPU, driver and PyTorch it was to a YAML beside it.",
        "",
    ]
    for option in OPTIONS:
        name = option.name + (f" {option.value}" if option.value else "")
        lines.append(f"  {name:<26}{option.text}")
    lines += [
        "",
        "Exit codes: 0 done; 1 done, but results were wrong or states failed; 2 the input was wrong or there is no",
        "GPU or no PyTorch to use; 3 the GPU failed or a bug of ours; 130 interrupted (go on with --resume).",
    ]
    return "\n".join(lines) + "\n"


def render_list() -> str:
    lines = []
    for group in cases.GROUPS:
        lines.append(group)
        for case in cases.CASES:
            if case.group != group:
                continue
            lines.append(f"  {case.name:<22}{case.summary}")
            for axis, values in case.axes.items():
                shown = values if len(values) <= 8 else [*values[:6], "...", f"{values[-1]} ({len(values)} values)"]
                lines.append(f"    {axis}: {' '.join(shown)}")
    return "\n".join(lines) + "\n"


def render_plan(chip: Chip, works: list[Work], selection: Selection, criterion: Criterion) -> str:
    lines = [f"plan for {chip.name} (nominal figures, no GPU was asked)"]
    width = max((len(work.name) for work in works), default=0)
    counts: dict[str, tuple[int, float]] = {}
    for number, work in enumerate(works, 1):
        cost = schedule.estimate_s(work.plan, chip, criterion)
        lines.append(f"{number:6}  {work.name:<{width}}{cost:9.2f} s")
        count, used = counts.get(work.case.group, (0, 0.0))
        counts[work.case.group] = (count + 1, used + cost)
    reasons: dict[tuple[str, str], list[str]] = {}
    for name, reason in selection.left_out:
        reasons.setdefault((name.split(" ")[0], reason), []).append(name)
    for (_, reason), names in reasons.items():
        more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
        lines.append(f"left out: {names[0]}{more}: {reason}")
    for group in cases.GROUPS:
        if group in counts:
            lines.append(f"{group:<12}{counts[group][0]:6} states, about {time_text(counts[group][1])}")
    total = sum(used for _, used in counts.values())
    lines.append(f"{'all':<12}{len(works):6} states, about {time_text(total)}")
    if len(works) < len(selection.works):
        lines.append(f"{len(selection.works) - len(works)} more states are beyond the budget")
    return "\n".join(lines) + "\n"


def _ordered(arguments: Arguments, chip: Chip, selection: Selection) -> list[Work]:
    return schedule.balanced_order(selection.works, chip, arguments.criterion, arguments.seed)


def _nominal_chip(name: str | None) -> Chip:
    chip = chip_named(name or "h100_sxm")
    if chip is None:
        raise UsageError(
            f"--device-name: there are no nominal figures of '{name}' to plan with",
            spelling_hint(name or "", [known.name for known in CHIPS]),
        )
    return chip


def _dry_run(arguments: Arguments, out: TextIO) -> int:
    chip = _nominal_chip(arguments.device_name)
    selection = schedule.select(arguments.groups, arguments.cases, arguments.axes, chip)
    works = _ordered(arguments, chip, selection)
    if arguments.budget_s is not None:
        works = schedule.within_budget(works, chip, arguments.criterion, arguments.budget_s)
    out.write(render_plan(chip, works, selection, arguments.criterion))
    return DONE


def _commit() -> str | None:
    """Of this program, where it lies in a repository."""
    try:
        folder = os.path.dirname(os.path.abspath(__file__))
        command = ["git", "-C", folder, "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


class _Interruption:
    """Set by the first SIGINT or SIGTERM, so that the row under way is finished; a second one ends at once."""

    def __init__(self) -> None:
        self.seen = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def _note(self, number: int, _: object) -> None:
        self.seen = True
        signal.signal(number, signal.SIG_DFL)


def _say_how_it_ended(ending: Ending, path: str, err: TextIO) -> None:
    counts = {
        "measured": ending.rows,
        "present before": ending.present,
        "skipped": ending.skipped,
        "wrong": ending.wrong,
        "failed": ending.failed,
        "beyond the budget": ending.beyond_budget,
    }
    err.write(f"{path}: " + ", ".join(f"{count} {what}" for what, count in counts.items() if count) + "\n")
    if ending.interrupted:
        err.write("interrupted; the same command with --resume goes on\n")


def exit_code_of(ending: Ending) -> int:
    if ending.fatal:
        return OUR_MISTAKE
    if ending.interrupted:
        return INTERRUPTED
    return ANSWER_IS_NO if ending.wrong or ending.failed else DONE


def _measure(arguments: Arguments, err: TextIO) -> int:
    begin = time.monotonic()
    try:
        import bench
    except ImportError as error:
        if error.name and error.name.split(".")[0] == "torch":
            raise UsageError(
                f"PyTorch is not installed for {sys.executable}", "--list and --dry-run need none"
            ) from error
        raise
    chip = bench.select_device(arguments.device, arguments.device_name)
    selection = schedule.select(arguments.groups, arguments.cases, arguments.axes, chip)
    works = _ordered(arguments, chip, selection)
    if not works:
        raise UsageError("no state is left to measure", "see --dry-run for what is left out")
    path = arguments.output or chip.name + "_torch.csv"
    facts: dict[str, object] = {
        "program": "mlosim/torch",
        "commit": _commit(),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "chip": chip.name,
        **bench.device_facts(),
        "seed": arguments.seed,
        "criterion": arguments.criterion.noise,
    }
    sidecar = Sidecar(sidecar_path(path), facts)
    results = ResultFile(path, cases.shape_columns(), arguments.resume)

    def measure(work: Work) -> Outcome:
        return bench.measure(work, chip, arguments.criterion)

    interruption = _Interruption()
    run = Campaign(
        chip=chip,
        criterion=arguments.criterion,
        measure=measure,
        elapsed_s=lambda: time.monotonic() - begin,
        is_interrupted=lambda: interruption.seen,
        messages=err,
        budget_s=arguments.budget_s,
    )
    try:
        ending = campaigns.run(run, works, results, sidecar)
    finally:
        results.close()
    _say_how_it_ended(ending, path, err)
    return exit_code_of(ending)


def main(words: list[str], out: TextIO = sys.stdout, err: TextIO = sys.stderr) -> int:
    try:
        arguments = parse_arguments(words)
        if arguments.help:
            out.write(usage())
            return DONE
        if arguments.show_list:
            out.write(render_list())
            return DONE
        return _dry_run(arguments, out) if arguments.dry_run else _measure(arguments, err)
    except UsageError as error:
        err.write(f"error: {error.message}" + (f"; {error.hint}" if error.hint else "") + "\n")
        return WRONG_INPUT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
