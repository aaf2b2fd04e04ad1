"""Tests of what needs neither PyTorch nor a GPU: python3 -m unittest validate/torch/test_measure.py"""

from __future__ import annotations

import ast
import importlib.util
import io
import os
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import cases  # noqa: E402
import measure  # noqa: E402
import schedule  # noqa: E402
from cases import Plan, Skip  # noqa: E402
from chips import CHIPS, chip_named, chip_of  # noqa: E402
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
