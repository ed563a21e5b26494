"""measures_test.py BENCH: figures of merit and fits against values known otherwise."""

import json
import math
import random
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

import made_up  # noqa: F401
from logistic import Coverage, Example, Logistic, fit, read_calibration, solve, to_calibration
from measures import Share, auroc, brier, roc


class Measures(unittest.TestCase):
    def test_auroc_counts_pairs_and_half_of_ties(self):
        self.assertEqual(auroc([3.0, 4.0], [1.0, 2.0]), 1.0)
        self.assertEqual(auroc([1.0, 3.0], [2.0]), 0.5)
        self.assertEqual(auroc([2.0, 2.0], [2.0, 1.0]), 0.75)
        self.assertTrue(math.isnan(auroc([], [1.0])))
        draw = random.Random(1)
        a = [draw.randrange(9) + 1.0 for _ in range(30)]
        b = [draw.randrange(9) + 0.0 for _ in range(40)]
        pairs = sum((x > y) + 0.5 * (x == y) for x in a for y in b) / 1200
        self.assertAlmostEqual(auroc(a, b), pairs, 12)

    def test_wilson(self):
        # Newcombe 1998, Statistics in Medicine 17, table I, method 3.
        for hits, of, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)):
            found = Share(hits, of).interval()
            self.assertAlmostEqual(found[0], low, 4)
            self.assertAlmostEqual(found[1], high, 4)
        self.assertEqual(Share(0, 20).interval()[0], 0.0)
        self.assertAlmostEqual(Share(0, 20).interval()[1], 0.1611, 4)
        self.assertEqual(Share(0, 0).text(), "–")

    def test_brier(self):
        self.assertAlmostEqual(brier([0.9, 0.2], [True, False]), (0.01 + 0.04) / 2)

    def test_a_roc_runs_from_nothing_to_everything(self):
        self.assertEqual(roc([2.0], [1.0]), [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)])


class Fits(unittest.TestCase):
    def test_solve_needs_pivots(self):
        self.assertEqual(solve([[0.0, 2.0], [1.0, 1.0]], [4.0, 5.0]), [3.0, 2.0])

    def test_without_penalty_a_table_is_met_exactly(self):
        counts = {(0.0, True): 1, (0.0, False): 3, (1.0, True): 6, (1.0, False): 2}
        examples = [
            Example({"x": x}, breaks) for (x, breaks), n in counts.items() for _ in range(n)
        ]
        model = fit(examples, ["x"], penalty=0.0)
        self.assertAlmostEqual(model.bias, math.log(1 / 3), 9)
        self.assertAlmostEqual(model.weights["x"], math.log(3) - math.log(1 / 3), 9)

    def test_a_weight_is_that_many_examples(self):
        draw = random.Random(2)
        points = [({"x": draw.gauss(0, 1)}, draw.random() < 0.4) for _ in range(40)]
        twice = fit([Example(*p) for p in points for _ in range(2)], ["x"])
        weighted = fit([Example(*p, weight=2.0) for p in points], ["x"])
        self.assertAlmostEqual(twice.weights["x"], weighted.weights["x"], 9)

    def test_at_the_optimum_the_penalized_gradient_vanishes(self):
        draw = random.Random(3)
        xs = [draw.gauss(0, 1) for _ in range(60)]
        mean = sum(xs) / 60
        spread = math.sqrt(sum((x - mean) ** 2 for x in xs) / 60)
        examples = [Example({"x": x}, x + draw.gauss(0, 1) > 0) for x in xs]
        model = fit(examples, ["x"], penalty=1.0)
        slope = model.weights["x"] * spread
        gradient = slope + sum(
            (model.probability(e.features) - e.breaks) * (e.features["x"] - mean) / spread
            for e in examples
        )
        self.assertAlmostEqual(gradient, 0.0, 8)

    def test_separable_runs_keep_finite_weights(self):
        examples = [Example({"x": float(i)}, i > 4) for i in range(10)]
        model = fit(examples, ["x"])
        self.assertTrue(0 < model.weights["x"] < 100)
        self.assertGreater(model.probability({"x": 9.0}), 0.8)

    def test_a_fit_needs_both_outcomes(self):
        with self.assertRaises(ValueError):
            fit([Example({"x": 1.0}, True)], ["x"])

    def test_a_calibration_is_read_as_it_was_written(self):
        model = Logistic(-13.3, {"attention_growth": 1.5})
        covers = Coverage(["pre"], [False], [64, 64], [4, 8])
        text = to_calibration(model, "about", 1000, 0.4, covers)
        value = json.loads(text)
        self.assertEqual(
            list(value),
            ["feature_version", "description", "horizon", "threshold", "bias", "weights", "covers"],
        )
        self.assertEqual(value["covers"]["layers"], [4, 8])
        with TemporaryDirectory() as folder:
            path = Path(folder) / "c.json"
            path.write_text(text)
            self.assertEqual(read_calibration(path), (model, 0.4))


if __name__ == "__main__":
    unittest.main()
