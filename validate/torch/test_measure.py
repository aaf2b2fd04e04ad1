"""Tests of what needs neither PyTorch nor a GPU: python3 -m unittest validate/torch/test_measure.py"""

from __future__ import annotations

import ast
import importlib.util
import io
import os
import pathlib
import signal
import sys
import tempfile
import types
import unittest
from unittest import mock

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import campaign  # noqa: E402
import cases  # noqa: E402
import measure  # noqa: E402
import schedule  # noqa: E402
from campaign import Campaign, Failure, Measured  # noqa: E402
from cases import Plan, Skip  # noqa: E402
from chips import CHIPS, chip_named, chip_of  # noqa: E402
from results import ResultFile, Sidecar, sidecar_path  # noqa: E402
from schedule import Criterion, Summary  # noqa: E402
from usage import UsageError, parse_duration, parse_list, parse_share, parse_whole  # noqa: E402

H100 = chip_named("h100_sxm")
HAS_TORCH = importlib.util.find_spec("torch") is not None


def select(groups=(), names=(), filters=None):
    return schedule.select(list(groups), list(names), filters or {}, H100)


def run_main(*words):
    out, err = io.StringIO(), io.StringIO()
    return measure.main(list(words), out, err), out.getvalue(), err.getvalue()


class Words(unittest.TestCase):
    def test_times_have_units(self):
        self.assertEqual(parse_duration("--budget", "5min"), 300)
        self.assertEqual(parse_duration("--budget", "1.5 h"), 5400)
        self.assertAlmostEqual(parse_duration("--budget", "500ms"), 0.5)
        for text in ("5", "min", "-5s", "0s", "nan s", "1e9h", "5 fortnights", ""):
            with self.assertRaises(UsageError, msg=text):
                parse_duration("--budget", text)

    def test_a_share_is_a_number_or_so_many_per_cent(self):
        self.assertEqual(parse_share("--criterion", "0.5%"), 0.005)
        self.assertEqual(parse_share("--criterion", "0.005"), 0.005)
        for text in ("0", "100%", "2", "x", "5 s"):
            with self.assertRaises(UsageError, msg=text):
                parse_share("--criterion", text)

    def test_counts_and_lists(self):
        self.assertEqual(parse_whole("--seed", "17"), 17)
        self.assertEqual(parse_list("--case", "a,b"), ["a", "b"])
        for text in ("-1", "1.5", "", "x"):
            with self.assertRaises(UsageError, msg=text):
                parse_whole("--seed", text)
        with self.assertRaises(UsageError):
            parse_list("--case", "a,,b")


class CommandLine(unittest.TestCase):
    def test_an_option_takes_its_value_behind_a_blank_or_an_equals_sign(self):
        for words in (["--budget", "30s", "--axis", "m=1,2"], ["--budget=30s", "--axis=m=1,2"]):
            arguments = measure.parse_arguments(words)
            self.assertEqual(arguments.budget_s, 30)
            self.assertEqual(arguments.axes, {"m": ["1", "2"]})

    def test_wrong_words_are_answered_with_the_nearest_and_exit_code_2(self):
        for words, said in (
            (["--bugdet", "1s"], "did you mean '--budget'?"),
            (["--group", "atention", "--dry-run"], "did you mean 'attention'?"),
            (["--case", "norm.row", "--dry-run"], "did you mean 'norm.rows'?"),
            (["--axis", "head=1", "--dry-run"], "did you mean 'heads'?"),
            (["--axis", "kind=rmsnrm", "--dry-run"], "did you mean 'rmsnorm'?"),
            (["--axis", "m", "--dry-run"], "names no values"),
            (["--device-name", "h100_smx", "--dry-run"], "did you mean 'h100_sxm'?"),
            (["--device-name", "H100!"], "is no name of a chip"),
            (["--list=1"], "takes no value"),
            (["--budget"], "needs a value"),
            (["list"], "there are only options"),
        ):
            code, out, err = run_main(*words)
            self.assertEqual((code, out), (2, ""), words)
            self.assertIn(said, err, words)

    def test_help_and_list_name_everything(self):
        code, out, _ = run_main("--help")
        self.assertEqual(code, 0)
        for option in measure.OPTIONS:
            self.assertIn(option.name, out)
        code, out, _ = run_main("--list")
        self.assertEqual(code, 0)
        for case in cases.CASES:
            self.assertIn(case.name, out)

    @unittest.skipIf(HAS_TORCH, "PyTorch is installed")
    def test_measuring_without_pytorch_is_wrong_input_and_leaves_no_file(self):
        with tempfile.TemporaryDirectory() as folder:
            code, _, err = run_main("--output", os.path.join(folder, "x.csv"))
            self.assertEqual(code, 2)
            self.assertIn("PyTorch is not installed", err)
            self.assertEqual(os.listdir(folder), [])


class States(unittest.TestCase):
    def test_every_state_names_a_row_of_its_own(self):
        identities = [tuple(sorted(work.plan.identity.items())) for work in select().works]
        self.assertEqual(len(identities), len(set(identities)))
        self.assertGreater(len(identities), 1000)

    def test_every_state_has_the_columns_of_its_operator(self):
        columns = {
            "gemm": "batch m n k",
            "attention_prefill": "batch seq_q seq_kv heads kv_heads head_dim causal window kv_dtype",
            "attention_decode": "batch seq_q seq_kv heads kv_heads head_dim window kv_dtype",
            "moe_gemm": "tokens hidden inter experts topk tp ep gated distribution",
            "elementwise": "kind rows cols bytes_in bytes_out",
            "rmsnorm": "rows cols",
            "layernorm": "rows cols",
            "softmax": "rows cols",
        }
        for work in select().works:
            identity = work.plan.identity
            expected = {"op", "dtype", "backend", *columns[identity["op"]].split()}
            self.assertEqual(set(identity), expected, work.name)

    def test_flops_and_bytes_are_counted_as_the_operator_needs_them(self):
        def plan(name, **state):
            works = select(names=[name], filters={axis: [value] for axis, value in state.items()}).works
            return works[0].plan

        linear = plan("linear.layer", dtype="bf16", weights="4096x4096", m="16")
        self.assertEqual(linear.flops, 2 * 16 * 4096 * 4096)
        self.assertEqual(linear.bytes, 2 * (4096 * 4096 + 16 * (4096 + 4096)))
        self.assertEqual(linear.rotated_bytes, 2 * 4096 * 4096)
        decode = plan("attention.decode", backend="flash", heads="32x8x128", batch="4", context="2048")
        self.assertEqual(decode.rotated_bytes, 2 * 4 * 2048 * 8 * 128 * 2)
        self.assertEqual(decode.flops, 4 * 4 * 32 * 2048 * 128)
        norm = plan("norm.rows", implementation="compiled", kind="add_rmsnorm", dtype="bf16", rows="16", cols="1024")
        self.assertEqual(norm.identity["bytes_in"], str(2 * 16 * 1024 * 2))
        self.assertEqual(norm.identity["bytes_out"], str(2 * 16 * 1024 * 2))
        moe = plan("moe.layer", implementation="grouped", experts="4096x14336x8x2", tokens="1024")
        self.assertEqual(moe.flops, 2 * 3 * 2048 * 4096 * 14336)
        self.assertEqual(moe.rotated_bytes, 3 * 8 * 4096 * 14336 * 2)

    def test_what_a_chip_cannot_hold_is_left_out_with_the_reason(self):
        small = schedule.select([], [], {}, chip_named("t4"))
        self.assertTrue(any("GiB of device memory" in reason for _, reason in small.left_out))
        self.assertLess(len(small.works), len(select().works))

    def test_copies_go_past_the_cache_and_stay_within_the_memory(self):
        def plan(rotated):
            return Plan({"op": "gemm", "dtype": "bf16"}, 1, 1, rotated, 0)

        self.assertEqual(cases.copies_of(plan(0), H100, 80e9), 1)
        self.assertGreaterEqual(cases.copies_of(plan(33e6), H100, 80e9) * 33e6, 2 * H100.l2_bytes)
        self.assertEqual(cases.copies_of(plan(1e3), H100, 80e9), 64)
        self.assertEqual(cases.copies_of(plan(40e6), H100, 90e6), 2)
        self.assertGreaterEqual(cases.copies_of(plan(60e9), H100, 80e9), 1)

    def test_a_graph_takes_whole_turns_of_the_copies(self):
        for work in select().works:
            copies = cases.copies_of(work.plan, H100, 80e9)
            launches = schedule.launches_of(work.plan, H100, copies)
            self.assertEqual(launches % copies, 0, work.name)
            self.assertGreaterEqual(launches, copies)


class Chips(unittest.TestCase):
    def test_a_gpu_is_known_by_its_name_size_and_units(self):
        self.assertEqual(chip_of("NVIDIA H100 80GB HBM3", 132, 85e9).name, "h100_sxm")
        self.assertEqual(chip_of("NVIDIA A100-SXM4-80GB", 108, 84e9).name, "a100_sxm_80gb")
        self.assertIsNone(chip_of("NVIDIA H100 80GB HBM3", 66, 42e9))  # a slice
        self.assertIsNone(chip_of("NVIDIA H500", 132, 85e9))

    def test_names_are_those_of_hw_specs(self):
        folder = HERE.parent.parent / "hw_specs" / "chips"
        for chip in CHIPS:
            self.assertTrue((folder / f"{chip.name}.yaml").exists(), chip.name)


class Order(unittest.TestCase):
    CRITERION = Criterion()

    def order(self, seed=0):
        return schedule.balanced_order(select().works, H100, self.CRITERION, seed)

    def test_every_state_comes_once(self):
        works = select().works
        self.assertCountEqual([w.name for w in self.order()], [w.name for w in works])

    def test_the_same_seed_gives_the_same_order_and_another_seed_another(self):
        self.assertEqual(self.order(), self.order())
        self.assertNotEqual(self.order(), self.order(1))

    def test_any_beginning_gives_every_group_its_share_of_the_time(self):
        order = self.order()
        for budget in (60, 240):
            used = {group: 0.0 for group in cases.GROUPS}
            for work in schedule.within_budget(order, H100, self.CRITERION, budget):
                used[work.case.group] += schedule.estimate_s(work.plan, H100, self.CRITERION)
            self.assertLessEqual(sum(used.values()), budget)
            for group, time in used.items():
                self.assertGreater(time, 0.1 * budget, group)

    def test_a_short_run_meets_every_back_end_and_kind(self):
        works = schedule.within_budget(self.order(), H100, self.CRITERION, 180)
        self.assertEqual(len({w.state["backend"] for w in works if w.case.group == "attention"}), 4)
        self.assertEqual(len({w.state["kind"] for w in works if w.case.group == "norm"}), 5)
        self.assertEqual(len({w.state["dtype"] for w in works if w.case.group == "linear"}), 4)

    def test_a_dry_run_prints_the_order_and_what_is_beyond_the_budget(self):
        code, out, err = run_main("--dry-run", "--budget", "60s", "--device-name", "a100_sxm_80gb")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("plan for a100_sxm_80gb", out)
        self.assertIn("more states are beyond the budget", out)
        self.assertEqual(out, run_main("--dry-run", "--budget", "60s", "--device-name", "a100_sxm_80gb")[1])


class Statistics(unittest.TestCase):
    def test_median_and_spread_are_interpolated_between_order_statistics(self):
        s = schedule.summarize([4.0, 1.0, 3.0, 2.0])
        self.assertEqual((s.median_s, s.samples), (2.5, 4))
        self.assertAlmostEqual(s.spread, 1.5 / 2.5)
        self.assertAlmostEqual(s.uncertainty, 1.2533 * 0.6 / 1.349 / 2)

    def test_a_stray_sample_moves_neither(self):
        clean = schedule.summarize([1.0] * 99)
        stray = schedule.summarize([1.0] * 98 + [1000.0])
        self.assertEqual((stray.median_s, stray.spread), (clean.median_s, clean.spread))

    def test_sampling_stops_when_the_median_is_known_or_the_time_is_used_up(self):
        c = Criterion(noise=0.01, min_samples=10, max_samples=50, max_time_s=1.0)
        self.assertFalse(schedule.is_settled([], 9, c))
        self.assertFalse(schedule.is_settled([1.0] * 9, 0.1, c))
        self.assertTrue(schedule.is_settled([1.0] * 10, 0.1, c))
        noisy = [1.0, 2.0] * 10
        self.assertFalse(schedule.is_settled(noisy, 0.1, c))
        self.assertTrue(schedule.is_settled(noisy, 1.0, c))
        self.assertTrue(schedule.is_settled([1.0, 2.0] * 25, 0.1, c))
        self.assertTrue(schedule.is_settled([1.0], 4.0, c))


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


class Source(unittest.TestCase):
    def test_python_3_9_reads_every_file(self):
        for file in sorted(HERE.glob("*.py")):
            ast.parse(file.read_text(encoding="utf-8"), str(file), feature_version=(3, 9))

    def test_only_operands_and_the_bench_need_pytorch(self):
        for file in sorted(HERE.glob("*.py")):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            imported = {
                name.split(".")[0]
                for node in ast.walk(tree)
                if isinstance(node, (ast.Import, ast.ImportFrom))
                for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
            }
            self.assertEqual("torch" in imported, file.name in ("bench.py", "operands.py"), file.name)


if __name__ == "__main__":
    unittest.main()
