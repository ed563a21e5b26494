"""runner_test.py BENCH: runs go on where they were, with a ballast that only pretends to train."""

import contextlib
import io
import json
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

import made_up  # noqa: F401
import plans
import runner
from curves import lines_of
from runner import Place, is_done, run_all

FAKE = Path(__file__).resolve().parent / "fake_ballast.py"


class Runner(unittest.TestCase):
    def setUp(self):
        self.scratch = TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.place = Place(FAKE, Path("none.h5"), Path(self.scratch.name))

    def tell(self, name, value):
        (self.place.out / name).write_text(str(value))

    def run_all(self, runs, jobs=2, limit_s=None):
        self.said = io.StringIO()
        with contextlib.redirect_stdout(self.said):
            return run_all(runs, self.place, jobs, limit_s)

    def log(self, run):
        return lines_of(self.place.folder(run) / "log.jsonl")

    def test_all_runs_end_and_leave_no_checkpoints(self):
        runs = [plans.make_run("base", "rate", 1e-2, seed, 20) for seed in (1, 2, 3)]
        self.assertTrue(self.run_all(runs))
        for run in runs:
            self.assertEqual([r["step"] for r in self.log(run)], list(range(1, 21)))
            self.assertFalse((self.place.folder(run) / "checkpoints").exists())
        self.assertIn("3/3 runs", self.said.getvalue())

    def test_what_is_done_is_not_done_again(self):
        run = plans.make_run("base", "rate", 1e-2, 1, 20)
        self.assertTrue(self.run_all([run]))
        before = (self.place.folder(run) / "log.jsonl").stat().st_mtime_ns
        self.assertTrue(self.run_all([run]))
        self.assertEqual((self.place.folder(run) / "log.jsonl").stat().st_mtime_ns, before)

    def test_time_that_is_up_starts_nothing(self):
        run = plans.make_run("base", "rate", 1e-2, 1, 40)
        self.assertFalse(self.run_all([run], limit_s=runner.GRACE_S))
        self.assertFalse(self.place.folder(run).exists())

    def test_an_interrupted_run_goes_on_with_the_next_call(self):
        run = plans.make_run("base", "rate", 1e-2, 1, 40)
        self.tell("asks_at", 15)
        self.assertFalse(self.run_all([run]))
        self.assertEqual(len(self.log(run)), 15)
        self.assertTrue(self.run_all([run]))
        self.assertEqual([r["step"] for r in self.log(run)], list(range(1, 41)))

    def test_a_second_stage_takes_over_with_its_own_keys(self):
        run = plans.make_run("base", "ramp", 1e-2, 1, 240)
        self.assertTrue(self.run_all([run]))
        rates = {r["step"]: r["lr"] for r in self.log(run)}
        self.assertEqual(len(rates), 240)
        self.assertEqual((rates[200], rates[201]), (0.01, 0.012))

    def test_a_stage_that_is_done_is_not_begun_again(self):
        run = plans.make_run("base", "ramp", 1e-2, 1, 240)
        self.tell("asks_at", 220)
        self.assertFalse(self.run_all([run]))
        self.assertTrue(self.run_all([run]))
        starts = (self.place.folder(run) / "output.txt").read_text().split("\n")
        self.assertEqual(starts, ["up to 200", "up to 240", "up to 240", ""])
        self.assertEqual([r["step"] for r in self.log(run)], list(range(1, 241)))

    def test_a_failure_is_said_and_begun_anew(self):
        run = plans.make_run("base", "rate", 1e-2, 1, 20)
        self.tell("fails_at", 10)
        self.assertFalse(self.run_all([run]))
        self.assertIn("failed: a defect", self.said.getvalue())
        self.tell("fails_at", 0)
        self.assertTrue(self.run_all([run]))
        self.assertEqual(len(self.log(run)), 20)

    def test_a_training_that_gives_up_is_done(self):
        run = plans.make_run("base", "ramp", 1e-2, 1, 240)
        self.tell("unstable_at", 10)
        self.assertTrue(self.run_all([run]))
        self.assertEqual(len(self.log(run)), 10)
        done = json.loads((self.place.folder(run) / "done.json").read_text())
        self.assertEqual(done["exit_code"], 4)

    def test_a_run_of_the_same_name_but_other_keys_starts_anew(self):
        run = plans.make_run("base", "rate", 1e-2, 1, 40)
        self.tell("asks_at", 15)
        self.run_all([run])
        other = plans.Run(**{**vars(run), "keys": run.keys | {"optim.lr": "0.02"}})
        self.tell("asks_at", 0)
        self.assertTrue(self.run_all([other]))
        self.assertEqual({r["lr"] for r in self.log(other)}, {0.02})
        self.assertTrue(is_done(self.place.folder(other)))


if __name__ == "__main__":
    unittest.main()
