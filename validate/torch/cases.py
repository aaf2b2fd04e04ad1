"""What can be measured: cases over axes, as nvbench calls them, and what each point of the axes is in the words of the
measurement table. Host side: lists and plans without PyTorch and without a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Callable, Union

from chips import Chip

BYTES = {"bf16": 2, "fp16": 2, "tf32": 4, "fp32": 4}


@dataclass(frozen=True)
class Plan:
    """One state of a case."""

    identity: dict[str, str]  # op, dtype and the op's columns; with the device these name the row
    flops: float
    bytes: float  # moved at least
    rotated_bytes: float  # of one copy of what a real run would find cold: weights, KV cache; 0: nothing
    memory_bytes: float  # beside the copies
    kernels: int = 1  # of one launch, about
    set_up_s: float = 0.3  # before anything is timed; compilation counts


@dataclass(frozen=True)
class Skip:
    """A state that cannot or need not run, and why."""

    reason: str


State = dict[str, str]
Planner = Callable[[State], Union[Plan, Skip]]


@dataclass(frozen=True)
class Case:
    name: str  # "attention.decode"; what stands before the dot is its group
    summary: str
    axes: dict[str, list[str]]
    plan: Planner = field(repr=False)

    @property
    def group(self) -> str:
        return self.name.split(".")[0]


@dataclass(frozen=True)
class Work:
    """A state with its plan, ready to be measured."""

    case: Case
    state: State
    plan: Plan

    @property
    def name(self) -> str:
        return self.case.name + "".join(f" {axis}={value}" for axis, value in self.state.items())


def _powers(first: int, last: int, factor: int = 2) -> list[str]:
    values = []
    while first <= last:
        values.append(str(first))
        first *= factor
    return values


def _sizes(text: str) -> list[int]:
    return [int(part) for part in text.split("x")]


# Heads x KV heads x head dimension: Llama-3.1-8B, -70B, -70B on 8 GPUs, Llama-2-7B, GPT-2's width of a head.
_HEADS = ["32x8x128", "64x8x128", "8x1x128", "32x32x128", "16x16x64"]
_BACKENDS = ["flash", "cudnn", "efficient", "math"]
_MOST_TOKENS = 1 << 20
_MOST_SCORES = 1 << 32  # that the math back end writes out


def _attention_cells(state: State, op: str, seq_q: int, seq_kv: int) -> dict[str, str]:
    heads, kv_heads, head_dim = _sizes(state["heads"])
    cells = {"op": op, "dtype": state["dtype"], "batch": state["batch"], "seq_q": str(seq_q), "seq_kv": str(seq_kv)}
    cells.update({"heads": str(heads), "kv_heads": str(kv_heads), "head_dim": str(head_dim)})
    cells.update({"window": "0", "kv_dtype": state["dtype"], "backend": state["backend"]})
    return cells


def _plan_prefill(state: State) -> Plan | Skip:
    heads, kv_heads, head_dim = _sizes(state["heads"])
    batch, seq = int(state["batch"]), int(state["seq"])
    scores = batch * heads * seq * seq
    if batch * seq > _MOST_TOKENS // 16:
        return Skip("more tokens than a prefill takes at once")
    if state["backend"] == "math" and scores > _MOST_SCORES:
        return Skip("its matrix of scores would not fit")
    size = BYTES[state["dtype"]]
    tokens = batch * seq * size
    io = tokens * head_dim * (2 * heads + 2 * kv_heads)
    moved = io + (scores * (size + 8) if state["backend"] == "math" else 0)
    identity = _attention_cells(state, "attention_prefill", seq, seq)
    identity["causal"] = "1"
    kernels = 10 if state["backend"] == "math" else 1
    return Plan(identity, 2.0 * scores * head_dim, moved, 0, moved + io, kernels)


def _plan_decode(state: State) -> Plan | Skip:
    heads, kv_heads, head_dim = _sizes(state["heads"])
    batch, context = int(state["batch"]), int(state["context"])
    if batch * context > 8 * _MOST_TOKENS:
        return Skip("a KV cache larger than is served")
    size = BYTES[state["dtype"]]
    cache = 2.0 * batch * context * kv_heads * head_dim * size
    copied = cache * heads / kv_heads if state["backend"] == "math" else 0  # the heads of a group are written out
    flops = 4.0 * batch * heads * context * head_dim
    identity = _attention_cells(state, "attention_decode", 1, context)
    return Plan(identity, flops, cache + 2 * copied, cache, copied + 1e7, 10 if copied else 2)


# Hidden x expert width x experts x experts of a token: Mixtral 8x7B, Qwen3-30B-A3B, gpt-oss-120b.
_EXPERTS = ["4096x14336x8x2", "2048x768x128x8", "2880x2880x128x4"]


def _plan_moe(state: State) -> Plan | Skip:
    hidden, inter, experts, topk = _sizes(state["experts"])
    tokens = int(state["tokens"])
    if state["implementation"] == "looped" and tokens * topk < experts and tokens > 1:
        return Skip("most experts of the loop would have no token")
    size = BYTES[state["dtype"]]
    rows = tokens * topk
    weights = 3.0 * experts * hidden * inter * size
    touched = weights * min(1.0, rows / experts)
    activations = size * (rows * (3 * hidden + 3 * inter) + 2 * tokens * hidden)
    identity = {"op": "moe_gemm", "dtype": state["dtype"], "tokens": state["tokens"], "hidden": str(hidden)}
    identity.update({"inter": str(inter), "experts": str(experts), "topk": str(topk), "tp": "1", "ep": "1"})
    identity.update({"gated": "1", "distribution": "balanced", "backend": state["implementation"]})
    kernels = 6 + (3 * min(experts, rows) if state["implementation"] == "looped" else 0)
    flops = 6.0 * rows * hidden * inter
    return Plan(identity, flops, touched + activations, weights, 4 * activations, kernels, set_up_s=1.0)


_NORMS = ["rmsnorm", "layernorm", "add_rmsnorm", "softmax", "silu_mul"]
_ELEMENTWISE = ("add_rmsnorm", "silu_mul")  # that have no table of their own


def _plan_norm(state: State) -> Plan | Skip:
    rows, cols = int(state["rows"]), int(state["cols"])
    size = BYTES[state["dtype"]]
    inputs = 2 if state["kind"] in _ELEMENTWISE else 1
    outputs = 2 if state["kind"] == "add_rmsnorm" else 1
    elements = rows * cols
    identity = {"op": state["kind"], "dtype": state["dtype"], "rows": str(rows), "cols": str(cols)}
    if state["kind"] in _ELEMENTWISE:
        identity.update({"op": "elementwise", "kind": state["kind"]})
        identity.update({"bytes_in": str(inputs * elements * size), "bytes_out": str(outputs * elements * size)})
    identity["backend"] = state["implementation"]
    compiled = state["implementation"] == "compiled"
    moved = float((inputs + outputs) * elements * size)
    passes = 1 if compiled else 4
    return Plan(identity, 0, moved * passes, 0, moved * 4, passes, set_up_s=4.0 if compiled else 0.3)


# n x k of a layer's weights: Llama-3.1-8B whole, -70B on 8 GPUs, and a square one.
_WEIGHTS = [
    "6144x4096", "4096x4096", "28672x4096", "4096x14336", "128256x4096",
    "1280x8192", "8192x1024", "7168x8192", "8192x3584", "8192x8192",
]  # fmt: skip


def _plan_linear(state: State) -> Plan | Skip:
    n, k = _sizes(state["weights"])
    m = int(state["m"])
    size = BYTES[state["dtype"]]
    identity = {"op": "gemm", "dtype": state["dtype"], "batch": "1", "m": str(m), "n": str(n), "k": str(k)}
    identity["backend"] = "linear"
    weights, activations = float(n * k * size), float(m * (n + k) * size)
    return Plan(identity, 2.0 * m * n * k, weights + activations, weights, 2 * activations)


CASES = [
    Case(
        "attention.prefill",
        "causal SDPA of whole prompts, grouped queries, by back end",
        {"backend": _BACKENDS, "dtype": ["bf16"], "heads": _HEADS, "batch": ["1", "8"], "seq": _powers(128, 32768)},
        _plan_prefill,
    ),
    Case(
        "attention.decode",
        "SDPA of one token a sequence against its KV cache, by back end",
        {
            "backend": _BACKENDS,
            "dtype": ["bf16"],
            "heads": _HEADS,
            "batch": _powers(1, 256, 4),
            "context": _powers(512, 131072, 4),
        },
        _plan_decode,
    ),
    Case(
        "moe.layer",
        "routed experts: gather, two products, SiLU * mul, weighted sum; the router is not in it",
        {
            "implementation": ["grouped", "looped"],
            "dtype": ["bf16"],
            "experts": _EXPERTS,
            "tokens": _powers(1, 16384, 4),
        },
        _plan_moe,
    ),
    Case(
        "norm.rows",
        "one pass over rows, compiled by torch.compile or eager",
        {
            "implementation": ["compiled", "eager"],
            "kind": _NORMS,
            "dtype": ["bf16", "fp16"],
            "rows": _powers(1, 16384, 4),
            "cols": ["1024", "4096", "8192", "14336"],
        },
        _plan_norm,
    ),
    Case(
        "linear.layer",
        "torch.nn.functional.linear without bias",
        {"dtype": ["bf16", "fp16", "tf32", "fp32"], "weights": _WEIGHTS, "m": _powers(1, 16384)},
        _plan_linear,
    ),
]

GROUPS = ["attention", "moe", "norm", "linear"]


def states_of(case: Case, filters: dict[str, list[str]]) -> list[State]:
    """Every point of the axes whose values the filters leave."""
    kept = [
        [value for value in values if axis not in filters or value in filters[axis]]
        for axis, values in case.axes.items()
    ]
    return [dict(zip(case.axes, point)) for point in product(*kept)]


def shape_columns() -> list[str]:
    """Every column that names a row of any case."""
    plans = [case.plan(state) for case in CASES for state in states_of(case, {})]
    return list(dict.fromkeys(column for plan in plans if isinstance(plan, Plan) for column in plan.identity))


def launch_guess(plan: Plan, chip: Chip) -> float:
    """Seconds of one launch: the roofline at two thirds of the nominal rates, and the floor of its kernels."""
    rate = chip.matrix_flops_per_s / (16 if plan.identity["dtype"] in ("tf32", "fp32") else 1)
    return 1.5 * max(plan.flops / rate, plan.bytes / chip.bytes_per_s) + 3e-6 * plan.kernels


def copies_of(plan: Plan, chip: Chip, free_bytes: float) -> int:
    """How many copies take turns, so that each is cold when its turn comes: twice the L2 together, at most 64."""
    if plan.rotated_bytes == 0:
        return 1
    wanted = int(-(-2 * chip.l2_bytes // plan.rotated_bytes)) + 1
    fitting = int((0.9 * free_bytes - plan.memory_bytes) // plan.rotated_bytes)
    return max(1, min(wanted, fitting, 64))
