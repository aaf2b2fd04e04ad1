"""Tests of campaigns, their files and whole runs, with a bench that needs no GPU:
python3 -m unittest validate/torch/test_campaign.py"""

from __future__ import annotations

import io
import os
import pathlib
import signal
import sys
import tempfile
import types
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import campaign  # noqa: E402
import cases  # noqa: E402
import measure  # noqa: E402
from campaign import Campaign, Failure, Measured  # noqa: E402
from cases import Skip  # noqa: E402
from results import ResultFile, Sidecar, sidecar_path  # noqa: E402
from schedule import Criterion, Summary  # noqa: E402
from test_measure import H100, run_main, select  # noqa: E402
from usage import UsageError  # noqa: E402



class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "x.csv")
        self.works = select(names=["linear.layer"], filters={"dtype": ["bf16"]}).works[:5]

    def open(self, resume=False):
        results = ResultFile(self.path, cases.shape_columns(), resume)
        self.addCleanup(lambda: self.close(results))
        return results

    @staticmethod
    def close(results):
        try:
            results.close()
        except OSError:
            pass  # closed by the test

    def text(self):
        return pathlib.Path(self.path).read_text(encoding="utf-8")

    def campaign(self, measure_one, is_interrupted=lambda: False, budget_s=None):
        return Campaign(H100, Criterion(), measure_one, lambda: 0.0, is_interrupted, io.StringIO(), budget_s)

    def run_campaign(self, measure_one, resume=False, **more):
        results = self.open(resume)
        sidecar = Sidecar(sidecar_path(self.path), {"chip": "h100_sxm"})
        try:
            return campaign.run(self.campaign(measure_one, **more), self.works, results, sidecar)
        finally:
            self.close(results)

    @staticmethod
    def measured(_):
        return Measured(Summary(1.25e-5, 0.01, 0.001, 20), "torch 2.8.0 cu130 linear", 4)

    def test_a_row_has_the_columns_of_the_contract(self):
        self.run_campaign(self.measured)
        header, first = self.text().splitlines()[:2]
        self.assertTrue(header.startswith("device,op,dtype,"))
        row = dict(zip(header.split(","), first.split(",")))
        self.assertEqual((row["device"], row["op"], row["time_us"]), ("h100_sxm", "gemm", "12.5"))
        self.assertEqual((row["software"], row["source"]), ("torch 2.8.0 cu130 linear", "mlosim/torch"))
        self.assertEqual((row["flag"], row["power_w"], row["seq_kv"]), ("", "", ""))

    def test_an_existing_file_is_not_overwritten(self):
        self.run_campaign(self.measured)
        before = self.text()
        with self.assertRaisesRegex(UsageError, "exists already"):
            self.open()
        self.assertEqual(self.text(), before)

    def test_resuming_drops_a_torn_line_and_measures_what_is_missing(self):
        self.run_campaign(self.measured)
        whole = self.text()
        lines = whole.splitlines(keepends=True)
        pathlib.Path(self.path).write_text("".join(lines[:3]) + lines[3][:17], encoding="utf-8")
        seen = []

        def measure_one(work):
            seen.append(work.name)
            return self.measured(work)

        ending = self.run_campaign(measure_one, resume=True)
        self.assertEqual((ending.present, ending.rows), (2, 3))
        self.assertEqual(seen, [work.name for work in self.works[2:]])
        self.assertEqual(self.text(), whole)

    def test_resuming_an_empty_or_a_new_file_begins_it(self):
        pathlib.Path(self.path).touch()
        self.assertEqual(self.run_campaign(self.measured, resume=True).rows, 5)
        self.assertEqual(self.run_campaign(self.measured, resume=True).present, 5)

    def test_a_table_of_another_kind_is_refused_and_left_as_it_is(self):
        pathlib.Path(self.path).write_text("a,b\n1,2\n", encoding="utf-8")
        with self.assertRaisesRegex(UsageError, "column 'device' is missing"):
            self.open(resume=True)
        self.assertEqual(self.text(), "a,b\n1,2\n")

    def test_two_runs_do_not_write_one_file(self):
        self.open()
        with self.assertRaisesRegex(UsageError, "another run"):
            self.open(resume=True)

    def test_what_cannot_be_measured_is_counted_and_passed(self):
        outcomes = iter([Skip("no kernel"), Failure("odd"), *[None] * 3])
        ending = self.run_campaign(lambda work: next(outcomes) or self.measured(work))
        self.assertEqual((ending.skipped, ending.failed, ending.rows), (1, 1, 3))
        self.assertEqual(measure.exit_code_of(ending), 1)

    def test_a_wrong_result_is_written_with_a_flag(self):
        wrong = Measured(Summary(1e-5, 0, 0, 10), "torch", 1, wrong="relative error 1")
        ending = self.run_campaign(lambda _: wrong)
        self.assertEqual((ending.wrong, ending.rows), (5, 5))
        self.assertIn(",wrong_result,", self.text())
        self.assertEqual(measure.exit_code_of(ending), 1)

    def test_an_interruption_ends_after_the_row_and_a_lost_device_at_once(self):
        calls = []
        ending = self.run_campaign(lambda w: calls.append(w) or self.measured(w), is_interrupted=lambda: len(calls) > 1)
        self.assertEqual((ending.rows, measure.exit_code_of(ending)), (2, 130))
        ending = self.run_campaign(lambda _: Failure("CUDA error", fatal=True), resume=True)
        self.assertEqual((ending.failed, measure.exit_code_of(ending)), (1, 3))

    def test_states_beyond_the_budget_are_counted(self):
        ending = self.run_campaign(self.measured, budget_s=1e-3)
        self.assertEqual((ending.rows, ending.beyond_budget), (0, 5))

    def test_the_sidecar_has_an_entry_for_every_run(self):
        self.run_campaign(self.measured)
        self.run_campaign(self.measured, resume=True)
        text = pathlib.Path(sidecar_path(self.path)).read_text(encoding="utf-8")
        self.assertTrue(text.startswith("schema: mlosim/measurement_runs/1\nruns:\n  - chip: \"h100_sxm\"\n"))
        self.assertEqual(text.count("finished: true"), 2)
        self.assertEqual([line for line in text.splitlines() if "rows:" in line], ["    rows: 5", "    rows: 0"])
        self.assertFalse(os.path.exists(sidecar_path(self.path) + ".new"))

    def test_a_file_that_is_no_sidecar_is_left_alone(self):
        pathlib.Path(sidecar_path(self.path)).write_text("mine: 1\n", encoding="utf-8")
        with self.assertRaisesRegex(UsageError, "no sidecar"):
            Sidecar(sidecar_path(self.path), {})

    def test_the_sidecar_says_that_a_run_broke_off(self):
        def measure_one(_):
            raise RuntimeError("a bug")

        with self.assertRaises(RuntimeError):
            self.run_campaign(measure_one)
        self.assertIn("finished: false", pathlib.Path(sidecar_path(self.path)).read_text(encoding="utf-8"))


class WholeRuns(unittest.TestCase):
    """The program with a bench that measures nothing, in a folder of its own."""

    WORDS = ("--case", "linear.layer", "--axis", "dtype=bf16", "--axis", "m=1,2")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        for number in (signal.SIGINT, signal.SIGTERM):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.measured = []
        bench = types.SimpleNamespace(
            select_device=lambda index, name: H100, device_facts=lambda: {"gpu": "none"}, measure=self.measure
        )
        patch = mock.patch.dict(sys.modules, {"bench": bench})
        patch.start()
        self.addCleanup(patch.stop)

    def measure(self, work, chip, criterion):
        self.measured.append(work.name)
        return Files.measured(work)

    def test_a_run_writes_the_table_and_what_it_ran_on(self):
        code, out, err = run_main(*self.WORDS)
        self.assertEqual((code, out), (0, ""), err)
        self.assertIn("h100_sxm_torch.csv: 20 measured", err)
        self.assertEqual(len(pathlib.Path("h100_sxm_torch.csv").read_text(encoding="utf-8").splitlines()), 21)
        sidecar = pathlib.Path("h100_sxm_torch.yaml").read_text(encoding="utf-8")
        for fact in ('program: "mlosim/torch"', 'chip: "h100_sxm"', 'gpu: "none"', "finished: true", "rows: 20"):
            self.assertIn(fact, sidecar)
        self.assertEqual(run_main(*self.WORDS)[0], 2)
        self.assertEqual(len(self.measured), 20)

    def test_an_interrupted_run_keeps_its_rows_and_goes_on(self):
        whole = self.measure

        def interrupted(work, chip, criterion):
            os.kill(os.getpid(), signal.SIGINT)
            return whole(work, chip, criterion)

        sys.modules["bench"].measure = interrupted
        code, _, err = run_main(*self.WORDS)
        self.assertEqual(code, 130)
        self.assertIn("--resume goes on", err)
        self.assertIn("finished: false", pathlib.Path("h100_sxm_torch.yaml").read_text(encoding="utf-8"))
        sys.modules["bench"].measure = whole
        code, _, err = run_main(*self.WORDS, "--resume")
        self.assertEqual(code, 0)
        self.assertIn("19 measured, 1 present before", err)
        self.assertEqual(len(set(self.measured)), 20)

    def test_a_folder_that_cannot_be_written_is_wrong_input(self):
        code, _, err = run_main(*self.WORDS, "--output", "nowhere/x.csv")
        self.assertEqual(code, 2)
        self.assertIn("nowhere/x.csv cannot be written: No such file", err)
        self.assertEqual(self.measured, [])


if __name__ == "__main__":
    unittest.main()
