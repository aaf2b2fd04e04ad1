"""Wrong input, and the words that the user writes: times, shares, counts and names. Needs no PyTorch."""

from __future__ import annotations

import difflib
import math
import re
from typing import Sequence


class UsageError(Exception):
    """Something that the user can mend: a message, and a hint that may be empty."""

    def __init__(self, message: str, hint: str = ""):
        super().__init__(message)
        self.message = message
        self.hint = hint


def spelling_hint(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, 1)
    if near:
        return f"did you mean '{near[0]}'?"
    return "one of: " + ", ".join(known[:12]) if known else ""


def check_names(what: str, asked: Sequence[str], known: Sequence[str]) -> None:
    for name in asked:
        if name not in known:
            raise UsageError(f"there is no {what} '{name}'", spelling_hint(name, known))


_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)\s*(\D*)")


def _number_and_unit(text: str) -> tuple[float, str] | None:
    match = _NUMBER.fullmatch(text)
    return (float(match.group(1)), match.group(2)) if match else None


def parse_duration(option: str, text: str) -> float:
    """Seconds of "500ms", "30s", "5min", "2h"."""
    units = {"ms": 1e-3, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}
    found = _number_and_unit(text)
    if found and found[1] in units and 0 < found[0] * units[found[1]] < 1e7:
        return found[0] * units[found[1]]
    raise UsageError(f"{option}: '{text}' is not a time", "write it with its unit: 500ms, 30s, 5min, 2h")


def parse_share(option: str, text: str) -> float:
    """A number between 0 and 1, or so many per cent."""
    found = _number_and_unit(text)
    if found and found[1] in ("", "%"):
        share = found[0] * (0.01 if found[1] else 1.0)
        if 0 < share < 1:
            return share
    raise UsageError(f"{option}: '{text}' is not a share between 0 and 1", "write it as 0.5% or 0.005")


def parse_whole(option: str, text: str) -> int:
    if re.fullmatch(r"\d{1,18}", text):
        return int(text)
    raise UsageError(f"{option}: '{text}' is not a whole number from 0")


def parse_list(option: str, text: str) -> list[str]:
    items = text.split(",")
    if not all(items):
        raise UsageError(f"{option}: '{text}' has an empty name", "names are separated by one comma")
    return items


def number_text(value: float, digits: int = 6) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number of a table")
    return f"{value:.{digits}g}"


def time_text(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
