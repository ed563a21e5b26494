"""Arithmetic and tables of bench/peers: report_test.py FOLDER. Needs nothing but Python."""

import json
import sys
import tempfile
import unittest
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(sys.argv.pop(1)).resolve()))

import report  # noqa: E402
from estimates import percentile, ratio  # noqa: E402
from points import Point, default_point, splits, tuned  # noqa: E402
from results import Results  # noqa: E402
from runs import Length, RunFailed, summary  # noqa: E402
from shapes import SHAPES, Case  # noqa: E402

DEFAULT = default_point("fsdp2", 2)
TUNED = Point("fsdp2", 1, 2, fused=True)
DDP = Point("ddp", 2, fused=True)
MACHINE = {"processor": "abacus, 2 cores", "date": "2000-01-01"}


def run(tokens_per_s):
    return {"tokens_per_s": tokens_per_s, "comm_share": 0.25, "losses": [8.4, 7.7, 7.0]}


def a_case():
    """Blocks in which the machine slows down: rates differ tenfold, ratios do not."""
    blocks = [
        {
            "library": "abacus",
            "ceiling": 200.0 * speed,
            "runs": {
                "ballast": run(3000.0 * speed),
                TUNED.label(): run(1500.0 * speed),
                DEFAULT.label(): run(1000.0 * speed),
                DDP.label(): run(1200.0 * speed),
            },
        }
        for speed in (1.0, 0.1, 0.5)
    ]
    points = [TUNED, DEFAULT, DDP]
    failed = Point("fsdp2", 2, compiled=True)
    grid = {point.label(): {"point": asdict(point)} | run(1500.0) for point in points}
    grid[failed.label()] = {"point": asdict(failed), "error": "CppCompileError | no compiler"}
    memory = {"ballast": {"peak": 400.0, "empty": 0.0}}
    memory |= {point.label(): {"peak": 1600.0, "empty": 500.0} for point in points}
    about = asdict(Case("bench", "bf16", 2048, 2))
    about |= {"step_tokens": 4096, "flop_per_token": 5e7, "parameters": 29_500_000}
    losses = [8.4, 7.7, 7.0]
    return {"about": about, "grid": grid, "blocks": blocks, "memory": memory, "losses": losses}


class Estimates(unittest.TestCase):
    def test_a_percentile_lies_between_neighbors(self):
        self.assertEqual(percentile([1.0, 2.0, 4.0], 0.5), 2.0)
        self.assertEqual(percentile([1.0, 2.0, 4.0], 0.75), 3.0)
        self.assertEqual(percentile([7.0], 0.975), 7.0)

    def test_what_slows_a_block_down_cancels(self):
        estimate = ratio([30.0, 3.0, 15.0], [10.0, 1.0, 5.0])
        self.assertEqual((estimate.value, estimate.low, estimate.high), (3.0, 3.0, 3.0))

    def test_the_interval_holds_the_median_and_narrows_with_blocks(self):
        few = ratio([1.0, 2.0, 3.0, 4.0, 5.0], [1.0] * 5)
        many = ratio([1.0, 2.0, 3.0, 4.0, 5.0] * 20, [1.0] * 100)
        self.assertEqual((few.value, few.low, few.high), (3.0, 1.0, 5.0))
        self.assertLess(many.high - many.low, few.high - few.low)
        self.assertLessEqual(many.low, 3.0)
        self.assertGreaterEqual(many.high, 3.0)

    def test_figures_without_a_partner_are_refused(self):
        with self.assertRaises(ValueError):
            ratio([1.0, 2.0], [1.0])
        with self.assertRaises(ValueError):
            ratio([], [])


class Shapes(unittest.TestCase):
    def test_sizes(self):
        self.assertEqual(SHAPES["bench"].parameters(), 29_499_904)
        self.assertEqual(SHAPES["134m"].parameters(), 134_105_856)

    def test_a_step_is_the_same_however_it_is_spread(self):
        case = Case("bench", "fp32", 64, 3)
        self.assertEqual((case.seq_len, case.sequences, case.step_tokens), (64, 3, 192))
        case = Case("134m", "fp32", 2048, 2)
        self.assertEqual((case.seq_len, case.sequences, case.step_tokens), (1024, 4, 4096))


class Search(unittest.TestCase):
    def test_splits_use_all_cores_and_give_whole_sequences(self):
        found = [(point.ranks, point.threads) for point in splits(DEFAULT, 6, 3)]
        self.assertEqual(found, [(1, 6), (3, 2)])

    def test_later_stages_start_from_the_best(self):
        best = Point("fsdp2", 2, fused=True, reshard=False)
        offered = list(tuned("fsdp2", 2, 2, 16, lambda: best))
        self.assertEqual(len({point.label() for point in offered[:8]}), 8)
        self.assertTrue(all(not point.reshard for point in offered[8:]))

    def test_labels_tell_points_apart(self):
        offered = list(tuned("fsdp2", 2, 2, 16, lambda: DEFAULT))
        self.assertEqual(len({point.label() for point in offered}), len(set(offered)))


class Report(unittest.TestCase):
    def setUp(self):
        self.result = {"machine": MACHINE, "cases": {"a": a_case()}}

    def test_ratios_are_of_the_fastest_point(self):
        line = report.Line(a_case()["about"], a_case())
        self.assertEqual(line.fastest("fsdp2"), TUNED.label())
        self.assertEqual(line.fastest("deepspeed"), None)
        self.assertEqual(line.ratio_to(TUNED.label()).value, 2.0)
        self.assertAlmostEqual(line.share_of_ceiling("ballast"), 0.75)

    def test_the_tables(self):
        table = report.table([self.result])
        self.assertIn("| bench bf16, 2,048 x 2 | 1,500 | 0.75 | 750 | 25% | **2.00 [2.00, 2.00]** "
                      "| 3.00 [3.00, 3.00] | 2.50 [2.50, 2.50] |  |", table)
        self.assertIn("| bench bf16, 2,048 x 2 | 200 | 800 (0.25) | 800 (0.25) | 800 (0.25) "
                      "| 250 |", table)

    def test_a_run_with_other_keys_has_rows_of_its_own(self):
        case, name = a_case(), report.own_with([("parallel.recompute", "full")])
        for block in case["blocks"]:
            rate = block["runs"][report.OWN]["tokens_per_s"]
            block["runs"][name] = run(rate / 2)
        case["memory"][name] = {"peak": 200.0, "empty": 0.0}
        table = report.table([{"machine": MACHINE, "cases": {"a": case}}])
        self.assertIn("| bench bf16, 2,048 x 2 | 1,500 | 0.75 |", table)
        self.assertIn("| bench bf16, 2,048 x 2, parallel.recompute full | 750 | 0.38 | 750 | 25% "
                      "| **1.00 [1.00, 1.00]** |", table)
        self.assertIn("| bench bf16, 2,048 x 2, parallel.recompute full | 100 | 800 (0.12) |", table)

    def test_ratios_are_over_the_blocks_in_which_both_ran(self):
        case = a_case()
        del case["blocks"][0]["runs"][DDP.label()]
        case["blocks"][1]["runs"][DDP.label()] = run(100.0)
        line = report.Line(case["about"], case)
        self.assertEqual(len(line.blocks_of(report.OWN, DDP.label())), 2)
        self.assertEqual(line.ratio_to(DDP.label()).high, 3.0)
        self.assertIn("2.75", report.table([{"machine": MACHINE, "cases": {"a": case}}]))

    def test_the_document_holds_every_point_and_failure(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "results.json").write_text(json.dumps(self.result))
            report.write([folder / "results.json"], folder)
            text = (folder / "benchmarks.md").read_text()
        for name in a_case()["grid"]:
            self.assertIn(f"| {name} |", text)
        self.assertIn("failed: `CppCompileError / no compiler`", text)
        self.assertIn("abacus, 2 cores", text)

    def test_of_a_case_without_blocks_only_the_points_are_told(self):
        case = a_case() | {"blocks": [], "tokens_per_s": 3000.0, "note": "Cut off."}
        unfinished = {"machine": MACHINE, "cases": {"a": case}}
        self.assertEqual(report.lines_of(unfinished), [])
        text = report.section(unfinished, 0, False)
        self.assertIn("| **ballast** | 3,000 |  |  |", text)
        self.assertIn("7.00000. Cut off.", text)
        self.assertIn(f"| {TUNED.label()} | 1,500 |  | 25% |", text)
        self.assertIn("29.5 M parameters; searched only. Losses of ballast: 8.40000,", text)

    def test_memory_is_told_of_without_blocks(self):
        case = a_case() | {"blocks": []}
        del case["memory"][DDP.label()]
        table = report.table([{"machine": MACHINE, "cases": {"a": case}}])
        self.assertIn("| bench bf16, 2,048 x 2 | 200 | 800 (0.25) | 800 (0.25) |  | 250 |", table)

    def test_scaling_and_the_order_of_sums_are_told_where_measured(self):
        scaling = {"precision": "bf16", "pairs": {"4": [[90.0, 100.0], [30.0, 40.0], [8.0, 10.0]],
                                                  "8": [[60.0, 80.0, 50.0]]}}
        rates = {"ballast": [1900.0], "ballast_arrival": [2000.0]}
        order = {"rows": [{"precision": "fp32", "ranks": 2, "tokens_per_s": rates}], "note": "So."}
        text = report.section(self.result | {"scaling": scaling, "order": order}, 0, False)
        self.assertIn("| 4 | 30 | 40 | 0.80 [0.75, 0.90] |  |  | 3 |", text)
        self.assertIn("| 8 | 60 | 80 | 0.75 (one block) | 50 | 1.20 (one block) | 1 |", text)
        self.assertIn("| bench fp32, 2,048 x 2 | 1,900 | 2,000 | 0.95 (one block) | 1 |", text)
        self.assertIn(" So.\n", text)
        self.assertNotIn("Weak scaling", report.section(self.result, 0, False))

    def test_a_case_that_did_not_get_to_its_search_is_left_out(self):
        started = {"machine": MACHINE, "cases": {"a": a_case() | {"blocks": [], "grid": {}}}}
        self.assertNotIn("###", report.section(started, 0, False))


class Lengths(unittest.TestCase):
    def test_memory_is_read_in_the_last_steps_only(self):
        length = Length(2, 3, watched=1)
        self.assertEqual(length.steps, 6)
        self.assertEqual([length.is_watched(done) for done in (0, 4, 5, 6)],
                         [False, False, True, False])

    def test_watched_steps_are_not_timed(self):
        with tempfile.TemporaryDirectory() as name:
            log = Path(name) / "log.jsonl"
            rates = [1.0, 10.0, 30.0, 100.0, 100.0]
            log.write_text("".join(
                json.dumps({"tokens_per_s": rate, "step_s": 1.0, "comm_exposed_s": 0.0,
                            "loss": 8.0}) + "\n" for rate in rates))
            self.assertEqual(summary(log, Length(1, 2, watched=2)).tokens_per_s, 20.0)
            with self.assertRaises(RunFailed):
                summary(log, Length(1, 2, watched=1))


class Interrupted(unittest.TestCase):
    def test_results_go_on_unless_the_machine_is_another(self):
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "results.json"
            first = Results(path, MACHINE, go_on=False)
            first.case("a", {})["blocks"].append("one")
            first.save()
            again = Results(path, MACHINE | {"date": "2000-01-02"}, go_on=True)
            self.assertEqual(again.case("a", {})["blocks"], ["one"])
            fresh = Results(path, MACHINE, go_on=False)
            self.assertEqual(fresh.case("a", {})["blocks"], [])
            with self.assertRaises(SystemExit):
                Results(path, MACHINE | {"processor": "other"}, go_on=True)


if __name__ == "__main__":
    unittest.main()
