"""plans_test.py BENCH: plans are what they say, and the same each time."""

import unittest
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import made_up  # noqa: F401
import plans
import study
from damage import steps_of
from runner import Place, keys_of


FAMILIES = {"base", "base-causes", "wide", "wide-causes", "deep", "deep-causes"}


class Plans(unittest.TestCase):
    def test_plans_are_the_same_each_time_and_survive_json(self):
        for name, make in plans.PLANS.items():
            self.assertEqual(make(plans.SIZES), make(plans.SIZES))
            with TemporaryDirectory() as folder:
                path = Path(folder) / "plan.json"
                path.write_text(plans.to_json(make(plans.SIZES)))
                self.assertEqual(plans.load(str(path)), make(plans.SIZES), name)

    def test_no_two_runs_share_a_name_or_a_seed(self):
        for make in plans.PLANS.values():
            runs = make(plans.SIZES)
            self.assertEqual(len({r.name for r in runs}), len(runs))
            self.assertEqual(len({r.keys["run.seed"] for r in runs}), len(runs))

    def test_the_small_plan_has_several_sizes_and_every_cause(self):
        runs = plans.load("small")
        self.assertEqual({r.family for r in runs}, FAMILIES)
        self.assertLessEqual({"rate", *plans.CAUSES}, {r.cause for r in runs})
        self.assertLess(sum(r.cost_s() for r in runs), 4.5 * 3600)

    def test_damaged_runs_are_a_family_of_their_own(self):
        runs = plans.load("damaged")
        self.assertEqual({run.family for run in runs}, {"base-data"})
        kinds = {steps_of(run.damage) for run in runs}
        self.assertEqual(kinds, {("noise", range(600, 620)), ("zeros", range(600, 620))})
        self.assertTrue(all(not run.damage for run in plans.load("small")))

    def test_a_ramp_goes_on_where_its_first_stage_ended(self):
        ramp = plans.make_run("base", "ramp", 1e-2, 1, 1200)
        first, second = ramp.stages
        top, warm_up = float(second.keys["optim.lr"]), int(second.keys["schedule.warmup"])
        self.assertAlmostEqual(top * first.until / warm_up, 1e-2)
        self.assertAlmostEqual(top, 6e-2)
        place = Place(Path("ballast"), Path("data.h5"), Path("out"))
        keys = keys_of(ramp, 0, place)
        self.assertEqual((keys["run.stop_at"], keys["optim.lr"]), ("200", "0.01"))
        self.assertEqual(keys_of(ramp, 1, place)["run.stop_at"], "1200")

    def test_saved_runs_repeat_seed_and_rate(self):
        origin = plans.load("small")[0]
        repeated = plans.saved([origin], Path("c.json"))[0]
        self.assertEqual(repeated.origin, origin.name)
        self.assertEqual(repeated.keys["run.seed"], origin.keys["run.seed"])
        self.assertEqual(repeated.keys["monitor.on_alert"], "lower_lr")
        plain = replace(repeated, name=origin.name, origin="", keys=origin.keys)
        self.assertEqual(plain, origin)

    def test_healthy_runs_to_repeat_are_taken_from_all_rates(self):
        runs = plans.load("small")
        rates = [run.lr for run in study.evenly(runs, 4)]
        self.assertEqual(rates, sorted(set(rates)))
        self.assertEqual(len(study.evenly(runs, 100)), len({r.name for r in runs}))

    def test_rates_can_be_told(self):
        rates = {r.lr for r in plans.load("small", "deep=0.01") if r.family == "deep"}
        self.assertEqual(rates, {0.0035, 0.007, 0.01, 0.014})
        with self.assertRaisesRegex(SystemExit, "'deap=0.01' names no size"):
            plans.load("small", "deap=0.01")

    def test_an_unknown_plan_is_said(self):
        with self.assertRaisesRegex(SystemExit, "no plan 'huge'"):
            plans.load("huge")


if __name__ == "__main__":
    unittest.main()
