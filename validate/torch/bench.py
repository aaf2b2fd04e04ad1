"""The device half of a run: checks the result of one state, and times replays of a CUDA graph in which copies of what a
real run would find cold take turns. Needs PyTorch and a GPU.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import platform
import subprocess
import time

import torch

import cases
import schedule
from campaign import Failure, Measured, Outcome
from cases import Skip, Work
from chips import Chip, chip_named, chip_of
from operands import PREPARE, Bench
from schedule import Criterion, Summary
from usage import UsageError

# Relative error in the 2-norm that a right result stays under.
_TOLERANCE = {"bf16": 2e-2, "fp16": 4e-3, "tf32": 4e-3, "fp32": 1e-4}
_WARM_UP_S = 0.05


def _build() -> str:
    """ "torch 2.8.0 cu130"."""
    release = "torch " + torch.__version__.split("+")[0]
    if torch.version.cuda:
        return release + " cu" + torch.version.cuda.replace(".", "")
    return release + (f" rocm {torch.version.hip}" if torch.version.hip else "")


def _find_wrong(pairs: list[tuple[torch.Tensor, torch.Tensor]], dtype: str) -> str:
    for out, reference in pairs:
        error = ((out.float() - reference).norm() / reference.norm()).item()
        if not error <= _TOLERANCE[dtype]:  # NaN is wrong too
            return f"relative error {error:.2g}, at most {_TOLERANCE[dtype]:g} was expected"
    return ""


def _capture(bench: Bench, launches: int) -> torch.cuda.CUDAGraph:
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for i in range(launches):
            bench.launches[i % len(bench.launches)]()
    return graph


def _time(graph: torch.cuda.CUDAGraph, launches: int, criterion: Criterion) -> Summary:
    begin = time.perf_counter()
    while time.perf_counter() - begin < _WARM_UP_S:
        graph.replay()
        torch.cuda.synchronize()
    seconds: list[float] = []
    begin = time.perf_counter()
    while not schedule.is_settled(seconds, time.perf_counter() - begin, criterion):
        first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        first.record()
        graph.replay()
        last.record()
        last.synchronize()
        seconds.append(first.elapsed_time(last) * 1e-3 / launches)
    return schedule.summarize(seconds)


def _measure(work: Work, chip: Chip, criterion: Criterion) -> Outcome:
    torch.cuda.empty_cache()
    if work.state["dtype"] == "bf16" and torch.cuda.get_device_capability() < (8, 0):
        return Skip("the GPU has no bf16")
    free, _ = torch.cuda.mem_get_info()
    if work.plan.rotated_bytes + work.plan.memory_bytes > 0.9 * free:
        return Skip(f"needs more than the {free / 2**30:.3g} GiB of device memory that are free")
    copies = cases.copies_of(work.plan, chip, free)
    torch.manual_seed(0)
    bench = PREPARE[work.case.group](work, copies)
    if isinstance(bench, Skip):
        return bench
    with torch.no_grad(), bench.around():
        # Kernels are chosen and compiled on the first launches, which a capture does not allow.
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for launch in bench.launches[:2] * 2:
                out = launch()
        torch.cuda.current_stream().wait_stream(side)
        out = bench.launches[0]()
        torch.cuda.synchronize()
        wrong = _find_wrong(bench.compared(out), work.state["dtype"])
        del out
        launches = schedule.launches_of(work.plan, chip, copies)
        summary = _time(_capture(bench, launches), launches, criterion)
    return Measured(summary, f"{_build()} {bench.software}", copies, wrong)


_NO_KERNEL = ("No available kernel", "not supported", "only supported", "No valid execution plans", "working triton")


def measure(work: Work, chip: Chip, criterion: Criterion) -> Outcome:
    """Measures one state. What the library cannot do and what the memory cannot hold is skipped with its reason."""
    try:
        return _measure(work, chip, criterion)
    except torch.cuda.OutOfMemoryError:
        return Skip("there is not enough device memory")
    except (RuntimeError, ValueError) as error:
        first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if _is_device_lost():
            return Failure(f"{first_line} (in {_place_of(error)})", fatal=True)
        if isinstance(error, NotImplementedError) or any(words in str(error) for words in _NO_KERNEL):
            return Skip(f"PyTorch: {first_line}")
        return Failure(f"{first_line} (in {_place_of(error)})")


def _is_device_lost() -> bool:
    """Errors of a kernel stay with the process; those of a call do not."""
    try:
        torch.cuda.synchronize()
    except RuntimeError:
        return True
    return False


def _place_of(error: BaseException) -> str:
    """The innermost line of this folder that the error passed."""
    place = ""
    trace = error.__traceback__
    while trace:
        folder, file = os.path.split(trace.tb_frame.f_code.co_filename)
        if folder == os.path.dirname(__file__):
            place = f"{file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def select_device(index: int, name: str | None) -> Chip:
    """Makes a GPU the one that is measured; the chip that it is, with its own sizes. Throws UsageError where there is
    none, or none that the table knows and `name` names none."""
    if not torch.cuda.is_available():
        raise UsageError("PyTorch finds no GPU that it can use", "--dry-run plans without one")
    if index >= torch.cuda.device_count():
        raise UsageError(f"--device: there is no GPU {index}", f"PyTorch finds {torch.cuda.device_count()}")
    torch.cuda.set_device(index)
    properties = torch.cuda.get_device_properties(index)
    memory = float(properties.total_memory)
    chip = chip_named(name) if name else chip_of(properties.name, properties.multi_processor_count, memory)
    if chip is None and name is None:
        raise UsageError(
            f"'{properties.name}' is no GPU that is known here", "name its chip: --device-name CHIP, such as h100_sxm"
        )
    if chip is None:  # rates of no chip in particular: they order and budget the run
        chip = Chip(name or "", properties.name, properties.multi_processor_count, memory, 50e6, 1e12, 1e14)
    l2 = getattr(properties, "L2_cache_size", 0)
    return dataclasses.replace(chip, memory_bytes=memory, l2_bytes=float(l2 or chip.l2_bytes))


_ASKED = ["driver_version", "ecc.mode.current", "power.limit", "clocks.max.sm", "clocks.sm", "clocks.mem", "uuid"]


def device_facts() -> dict[str, object]:
    """For the sidecar; what nvidia-smi cannot say is unknown."""
    facts: dict[str, object] = {
        "gpu": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "python": platform.python_version(),
    }
    answers: list[str] = []
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        uuid = str(getattr(torch.cuda.get_device_properties(torch.cuda.current_device()), "uuid", ""))
        which = ["-i", "GPU-" + uuid] if uuid else []
        command = ["nvidia-smi", *which, "--query-gpu=" + ",".join(_ASKED), "--format=csv,noheader"]
        answers = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.split(",")
    for name, answer in zip(_ASKED, answers or [""] * len(_ASKED)):
        facts[name.replace(".", "_")] = answer.strip() or None
    return facts
