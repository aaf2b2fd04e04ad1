"""The files of a run: the CSV of measurements, one row at a time, and the YAML beside it that says what machine and
software each run over it had. Needs no PyTorch.
"""

from __future__ import annotations

import csv
import fcntl
import io
import os
from typing import Iterable

from usage import UsageError

_FIRST = ["device", "op", "dtype"]
_LAST = ["time_us", "power_w", "flag", "software", "source", "samples", "spread", "uncertainty", "copies"]

Row = dict[str, str]


def format_record(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


class ResultFile:
    """An open table, locked for this run. A row is named by its device and its identity; what follows the last line's
    end was torn off by an interruption and is dropped."""

    def __init__(self, path: str, shape_columns: Iterable[str], resume: bool):
        self.path = path
        self._shape = list(dict.fromkeys([*_FIRST, *shape_columns]))
        self.columns = [*self._shape, *_LAST]
        self._present: set[tuple[str, ...]] = set()
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | (0 if resume else os.O_EXCL), 0o644)
        except FileExistsError:
            raise UsageError(
                f"{path} exists already and is not overwritten",
                "--resume measures what it lacks, --output FILE begins another",
            ) from None
        except OSError as error:
            raise UsageError(
                f"{path} cannot be written: {error.strerror}", "--output FILE writes it elsewhere"
            ) from None
        try:
            self._read_rows()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        os.close(self._file)

    def _read_rows(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"{self.path} is being written by another run", "wait for it, or use --output") from None
        with open(self.path, "rb") as file:
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        try:
            records = list(csv.reader(io.StringIO(whole.decode("utf-8"))))
        except (UnicodeDecodeError, csv.Error):
            raise UsageError(f"{self.path} is no table of measurements", "--output FILE begins another") from None
        os.ftruncate(self._file, len(whole))
        os.lseek(self._file, len(whole), os.SEEK_SET)
        if not records:
            self._write(format_record(self.columns))
            return
        header = records[0]
        for column in self.columns:
            if column not in header:
                raise UsageError(
                    f"{self.path}:1: the column '{column}' is missing, so that its rows cannot be told apart",
                    "it is from another version or no file of this program: begin another with --output FILE",
                )
        self.columns = header
        for record in records[1:]:
            self._present.add(self._key(dict(zip(header, record))))

    def _key(self, row: Row) -> tuple[str, ...]:
        return tuple(row.get(column, "") for column in self._shape)

    def contains(self, device: str, identity: Row) -> bool:
        return self._key({"device": device, **identity}) in self._present

    def append(self, row: Row) -> None:
        unknown = [column for column in row if column not in self.columns]
        if unknown:
            raise KeyError(f"no case has announced the column '{unknown[0]}'")
        self._write(format_record(row.get(column, "") for column in self.columns))
        self._present.add(self._key(row))

    def _write(self, text: str) -> None:
        data = text.encode("utf-8")
        while data:
            data = data[os.write(self._file, data) :]


def sidecar_path(csv_path: str) -> str:
    """FILE.csv -> FILE.yaml; any other name gets .yaml behind it."""
    stem, ending = os.path.splitext(csv_path)
    return (stem if ending == ".csv" else csv_path) + ".yaml"


def _scalar(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"{value:.12g}"
    escaped = "".join(
        "\\" + c if c in '"\\' else c if c.isprintable() else f"\\u{ord(c) & 0xFFFF:04x}" for c in str(value)
    )
    return f'"{escaped}"'


class Sidecar:
    """The YAML beside a table. A run that goes on in it adds its entry and leaves the others as they are."""

    _HEADER = "schema: mlosim/measurement_runs/1\nruns:\n"

    def __init__(self, path: str, facts: dict[str, object]):
        self.path = path
        self._facts = facts
        self._earlier = self._HEADER
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                self._earlier = file.read()
            if not self._earlier.startswith(self._HEADER):
                raise UsageError(
                    f"{path} is there already and is no sidecar of a measurement",
                    "--output FILE writes the CSV and its sidecar elsewhere",
                )
            if not self._earlier.endswith("\n"):
                self._earlier += "\n"

    def write(self, ending: dict[str, object]) -> None:
        """Replaces the file in one step, so that no reader sees half of it."""
        lines = [f"{name}: {_scalar(value)}\n" for name, value in {**self._facts, **ending}.items()]
        text = self._earlier + "  - " + "    ".join(lines)
        draft = self.path + ".new"
        try:
            with open(draft, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(draft, self.path)
        except OSError as error:
            raise UsageError(
                f"{self.path} cannot be written: {error.strerror}",
                "--output FILE writes the CSV and its sidecar elsewhere",
            ) from None
