"""Operands and launches of every case, with the float32 results that they are checked against. Needs PyTorch and a GPU;
bench.py times what is prepared here.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import Any, Callable, Iterator

import torch
import torch.nn.functional as F

from cases import Skip, Work

Tensor = torch.Tensor

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32, "tf32": torch.float32}
_CHECKED_ROWS = 64
_EPSILON = 1e-5


@dataclass
class Bench:
    """One state, ready to be launched. `launches[i]` uses the i-th copy of what is rotated."""

    launches: list[Callable[[], Any]]
    software: str
    # Pairs of what came out and what should have, of some rows; called after launches[0], with its result.
    compared: Callable[[Any], list[tuple[Tensor, Tensor]]]
    around: Callable[[], contextlib.AbstractContextManager[Any]] = contextlib.nullcontext


def _release() -> tuple[int, int]:
    major, minor = torch.__version__.split(".")[:2]
    return int(major), int(minor)


def _random(*shape: int, dtype: torch.dtype, scale: float = 1.0) -> Tensor:
    return torch.randn(*shape, device="cuda", dtype=dtype).mul_(scale)


def _some(count: int, most: int = _CHECKED_ROWS) -> Tensor:
    """Up to `most` of `count` rows, the first and the last with them."""
    return torch.linspace(0, count - 1, min(count, most), device="cuda").long().unique()


def _attention_reference(q: Tensor, k: Tensor, v: Tensor, rows: Tensor, causal: bool) -> Tensor:
    """Rows of the first sequence: [heads, rows, head_dim] in float32."""
    group = q.shape[1] // k.shape[1]
    outs = []
    for head in range(q.shape[1]):
        keys, values = k[0, head // group].float(), v[0, head // group].float()
        scores = q[0, head, rows].float() @ keys.t() / math.sqrt(q.shape[-1])
        if causal:
            unseen = torch.arange(len(keys), device=q.device)[None, :] > rows[:, None]
            scores.masked_fill_(unseen, -math.inf)
        outs.append(scores.softmax(-1) @ values)
    return torch.stack(outs)


def _prepare_attention(work: Work, copies: int) -> Bench | Skip:
    if _release() < (2, 5):
        return Skip(f"PyTorch {torch.__version__} knows no grouped queries in SDPA; 2.5 does")
    from torch.nn.attention import SDPBackend, sdpa_kernel

    backend = {
        "flash": SDPBackend.FLASH_ATTENTION,
        "cudnn": getattr(SDPBackend, "CUDNN_ATTENTION", None),
        "efficient": SDPBackend.EFFICIENT_ATTENTION,
        "math": SDPBackend.MATH,
    }[work.state["backend"]]
    if backend is None:
        return Skip(f"PyTorch {torch.__version__} has no such back end")
    cells = {name: int(work.plan.identity[name]) for name in ("batch", "seq_q", "seq_kv", "heads", "kv_heads")}
    head_dim = int(work.plan.identity["head_dim"])
    dtype = _DTYPES[work.state["dtype"]]
    causal = work.case.name == "attention.prefill"
    q = _random(cells["batch"], cells["heads"], cells["seq_q"], head_dim, dtype=dtype)
    caches = [
        [_random(cells["batch"], cells["kv_heads"], cells["seq_kv"], head_dim, dtype=dtype) for _ in range(2)]
        for _ in range(copies)
    ]
    grouped = cells["heads"] != cells["kv_heads"]

    def launch(k: Tensor, v: Tensor) -> Callable[[], Tensor]:
        return lambda: F.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=grouped)

    rows = _some(cells["seq_q"])

    def compared(out: Tensor) -> list[tuple[Tensor, Tensor]]:
        return [(out[0][:, rows], _attention_reference(q, *caches[0], rows, causal))]

    return Bench(
        [launch(k, v) for k, v in caches], f"sdpa_{work.state['backend']}", compared, lambda: sdpa_kernel(backend)
    )


def _balanced_choice(tokens: int, experts: int, topk: int) -> Tensor:
    """[tokens, topk] experts, each chosen as often as any other and no token choosing one twice."""
    return (torch.arange(tokens * topk, device="cuda") % experts).reshape(tokens, topk)


def _prepare_moe(work: Work, copies: int) -> Bench | Skip:
    hidden, inter, experts, topk = (int(size) for size in work.state["experts"].split("x"))
    tokens = int(work.state["tokens"])
    dtype = _DTYPES[work.state["dtype"]]
    grouped_mm = getattr(F, "grouped_mm", None) or getattr(torch, "_grouped_mm", None)
    if work.state["implementation"] == "grouped" and grouped_mm is None:
        return Skip(f"PyTorch {torch.__version__} has no grouped product; 2.8 does")
    x = _random(tokens, hidden, dtype=dtype)
    gate_up = [_random(experts, hidden, 2 * inter, dtype=dtype, scale=hidden**-0.5) for _ in range(copies)]
    down = [_random(experts, inter, hidden, dtype=dtype, scale=inter**-0.5) for _ in range(copies)]
    share = torch.rand(tokens, topk, device="cuda").softmax(-1).to(dtype)
    choice = _balanced_choice(tokens, experts, topk)
    # Routing is given: rows sorted by expert, the token of each row, the rows of each token, where experts end.
    order = choice.flatten().argsort(stable=True)
    token_of_row = order // topk
    row_of_choice = order.argsort()
    counts = choice.flatten().bincount(minlength=experts)
    ends = counts.cumsum(0).to(torch.int32)
    sizes = counts.tolist()

    def products(rows: Tensor, w1: Tensor, w2: Tensor) -> Tensor:
        if work.state["implementation"] == "grouped":
            gate, up = grouped_mm(rows, w1, offs=ends).chunk(2, -1)
            return grouped_mm(F.silu(gate) * up, w2, offs=ends)
        out = torch.empty_like(rows)
        begin = 0
        for expert, size in enumerate(sizes):
            if size == 0:
                continue
            gate, up = (rows[begin : begin + size] @ w1[expert]).chunk(2, -1)
            torch.mm(F.silu(gate) * up, w2[expert], out=out[begin : begin + size])
            begin += size
        return out

    def launch(w1: Tensor, w2: Tensor) -> Callable[[], Tensor]:
        def layer() -> Tensor:
            out = products(x[token_of_row], w1, w2)
            return (out[row_of_choice].view(tokens, topk, hidden) * share[:, :, None]).sum(1)

        return layer

    def compared(out: Tensor) -> list[tuple[Tensor, Tensor]]:
        pairs = []
        for token in _some(tokens, 4).tolist():
            reference = torch.zeros(hidden, device="cuda")
            for slot, expert in enumerate(choice[token].tolist()):
                gate, up = (x[token].float() @ gate_up[0][expert].float()).chunk(2, -1)
                reference += share[token, slot].float() * ((F.silu(gate) * up) @ down[0][expert].float())
            pairs.append((out[token], reference))
        return pairs

    software = "grouped_mm" if work.state["implementation"] == "grouped" else "looped_experts"
    return Bench([launch(w1, w2) for w1, w2 in zip(gate_up, down)], software, compared)


def _rmsnorm(x: Tensor, weight: Tensor) -> Tensor:
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + _EPSILON)).to(x.dtype) * weight


def _layernorm(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return F.layer_norm(x, (x.shape[-1],), weight, bias, _EPSILON)


def _add_rmsnorm(x: Tensor, residual: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    total = x + residual
    return _rmsnorm(total, weight), total


def _softmax(x: Tensor) -> Tensor:
    return torch.softmax(x, -1)


def _silu_mul(x: Tensor) -> Tensor:
    gate, up = x.chunk(2, -1)
    return F.silu(gate) * up


def _prepare_norm(work: Work, copies: int) -> Bench | Skip:
    rows, cols = int(work.state["rows"]), int(work.state["cols"])
    dtype = _DTYPES[work.state["dtype"]]
    width = 2 * cols if work.state["kind"] == "silu_mul" else cols
    x = _random(rows, width, dtype=dtype)
    weight, bias = _random(cols, dtype=dtype), _random(cols, dtype=dtype)
    residual = _random(rows, cols, dtype=dtype)
    function: Callable[..., Any]
    function, operands = {
        "rmsnorm": (_rmsnorm, [x, weight]),
        "layernorm": (_layernorm, [x, weight, bias]),
        "add_rmsnorm": (_add_rmsnorm, [x, residual, weight]),
        "softmax": (_softmax, [x]),
        "silu_mul": (_silu_mul, [x]),
    }[work.state["kind"]]
    if work.state["implementation"] == "compiled":
        torch._dynamo.reset()  # shapes of earlier states would make this one dynamic
        called = torch.compile(function, dynamic=False)
    else:
        called = function
    some = _some(rows)

    def compared(out: Any) -> list[tuple[Tensor, Tensor]]:
        wide = [t[some].float() if t.dim() == 2 else t.float() for t in operands]
        reference = function(*wide)
        outs, references = (out, reference) if isinstance(out, tuple) else ((out,), (reference,))
        return [(o[some], r) for o, r in zip(outs, references)]

    return Bench([lambda: called(*operands)] * copies, work.state["implementation"], compared)


def _prepare_linear(work: Work, copies: int) -> Bench | Skip:
    m, n, k = (int(work.plan.identity[name]) for name in ("m", "n", "k"))
    dtype = _DTYPES[work.state["dtype"]]
    if work.state["dtype"] == "tf32" and torch.cuda.get_device_capability() < (8, 0):
        return Skip("the GPU has no tf32")
    x = _random(m, k, dtype=dtype)
    weights = [_random(n, k, dtype=dtype, scale=k**-0.5) for _ in range(copies)]

    def launch(weight: Tensor) -> Callable[[], Tensor]:
        return lambda: F.linear(x, weight)

    some = _some(m)

    def compared(out: Tensor) -> list[tuple[Tensor, Tensor]]:
        with _tf32(False):
            return [(out[some], x[some].float() @ weights[0].float().t())]

    return Bench(
        [launch(weight) for weight in weights], "linear", compared, lambda: _tf32(work.state["dtype"] == "tf32")
    )


@contextlib.contextmanager
def _tf32(allowed: bool) -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if allowed else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


PREPARE = {
    "attention": _prepare_attention,
    "moe": _prepare_moe,
    "norm": _prepare_norm,
    "linear": _prepare_linear,
}
