"""alarms_test.py BENCH: when an alarm is in time, and what it is worth."""

import math
import unittest

from made_up import broken_losses, learning, probe, record, trail
from alarms import (
    Judged,
    Watch,
    carried,
    catch,
    concordance,
    counting_lost,
    first_alarm,
    in_time,
    merit_of,
    threshold_at,
)
from curves import Trail
from fitting import examples_of
from labels import Label, label
from logistic import Logistic
from plans import make_run
from signals import feature, gradient_z, logistic, recent_medians

GROWTH = feature("attention_growth", "cheap")
HORIZON = 400
WATCH = Watch(20, HORIZON)


def judged(losses, growth, **more):
    made = trail(losses, growth, **more)
    return Judged(made, label(made.records, HORIZON))


class Series(unittest.TestCase):
    def test_medians_are_over_five_probes(self):
        growths = [0.0, 9.0, 1.0, 2.0, 3.0, 4.0, float("nan")]
        probes = [probe(10 * i, g) for i, g in enumerate(growths)]
        points = recent_medians(probes, lambda p: p.features["attention_growth"])
        self.assertEqual([v for _, v in points], [0.0, 4.5, 1.0, 1.5, 2.0, 3.0, 2.5])

    def test_a_score_with_a_feature_that_has_no_value_is_none(self):
        made = trail(learning(), 1.0, expanding=float("nan"))
        signal = logistic("", "fit", Logistic(0.0, {"attention_growth": 1.0, "expanding": 1.0}))
        self.assertEqual(signal.series(made), [])

    def test_a_gradient_burst_is_seen_by_the_next_probe_alone(self):
        norms = [0.3 + 0.01 * (i % 2) for i in range(100)]
        norms[61] = 3.0
        records = [record(i + 1, 2.0, norm) for i, norm in enumerate(norms)]
        probes = [probe(step) for step in (25, 50, 75, 100)]
        made = Trail(make_run("base", "rate", 1e-2, 1, 100), records, probes, [], False)
        scores = dict(gradient_z(made))
        self.assertGreater(scores[75], 20)
        self.assertLess(max(scores[25], scores[50], scores[100]), 3)


class Alarms(unittest.TestCase):
    def test_only_what_comes_before_the_event_and_after_the_start_warns(self):
        series = [(1, 9.0), (25, 1.0), (50, 2.0), (75, 3.0), (100, 4.0)]
        self.assertEqual(in_time(series, Label("drift", 75), WATCH), series[1:3])
        self.assertEqual(in_time(series, Label("healthy"), Watch(20, 75)), series[1:4])

    def test_the_first_probe_that_reaches_the_threshold_alarms(self):
        series = [(25, 1.0), (50, 2.0), (75, 3.0)]
        self.assertEqual(first_alarm(series, 2.0), 50)
        self.assertIsNone(first_alarm(series, 3.5))

    def test_the_threshold_lets_five_percent_pass(self):
        peaks = [float(i) for i in range(40)]
        at = threshold_at(peaks)
        self.assertEqual(sum(p >= at for p in peaks), 2)
        few = [1.0, 2.0, 3.0]
        self.assertEqual(sum(p >= threshold_at(few) for p in few), 0)
        self.assertEqual(threshold_at([]), math.inf)

    def test_lead_recall_and_false_alarms(self):
        broken = [judged(broken_losses(301), 5.0), judged(broken_losses(301), 1.0)]
        sound = [judged(learning(), 0.0), judged(learning(), 5.0)]
        found = catch(GROWTH, broken, sound, 4.0, WATCH)
        # Growth is the same at every probe: the alarm is at the first after step 20.
        self.assertEqual(found.leads, [broken[0].label.event - 25])
        self.assertEqual((found.recall.hits, found.recall.of), (1, 2))
        self.assertEqual((found.false.hits, found.false.of), (1, 2))

    def test_equal_false_alarms(self):
        runs = [judged(broken_losses(301), g) for g in (3.0, 5.0)]
        runs += [judged(learning(), g) for g in (1.0, 2.0, 4.0)]
        merit = merit_of(GROWTH, runs, WATCH)
        self.assertEqual(merit.at_equal.recall.hits, 1)
        self.assertEqual(merit.at_equal.false.hits, 0)
        self.assertAlmostEqual(merit.auroc_read, 5 / 6)
        self.assertTrue(math.isnan(merit.brier))

    def test_early_events_and_runs_that_never_learned_are_not_in_the_main_set(self):
        runs = [judged(broken_losses(101), 9.0), judged(learning(last=3.0), 9.0)]
        runs += [judged(learning(), 1.0), judged(broken_losses(301), 5.0)]
        merit = merit_of(GROWTH, runs, WATCH)
        self.assertEqual((merit.at_equal.recall.hits, merit.at_equal.recall.of), (1, 1))
        self.assertEqual(merit.at_equal.false.of, 1)

    def test_where_it_counts_what_never_learned_is_caught_without_a_lead(self):
        runs = [judged(learning(last=3.0), 9.0), judged(learning(), 1.0)]
        merit = merit_of(GROWTH, counting_lost(runs), WATCH)
        self.assertEqual((merit.at_equal.recall.hits, merit.at_equal.recall.of), (1, 1))
        self.assertEqual(merit.at_equal.leads, [])

    def test_a_threshold_can_be_carried_to_other_runs(self):
        fitted = [judged(learning(), 2.0)]
        runs = [judged(learning(), 3.0), judged(broken_losses(301), 1.0)]
        found = carried(GROWTH, fitted, runs, WATCH)
        self.assertEqual((found.recall.hits, found.false.hits), (0, 1))

    def test_concordance_pairs_runs_of_equal_rate_alone(self):
        runs = [judged(broken_losses(301), 2.0, lr=1e-2), judged(learning(), 1.0, lr=1e-2)]
        runs += [judged(learning(), 5.0, lr=2e-2), judged(broken_losses(301), 9.0, size="deep")]
        self.assertEqual(concordance(GROWTH, runs), (1.0, 1))


class Examples(unittest.TestCase):
    def test_a_fit_looks_at_a_run_while_it_has_not_broken(self):
        names = ["attention_growth"]
        runs = [judged(broken_losses(141), 3.0), judged(learning(), 1.0)]
        runs.append(judged(learning(last=3.0), 9.0))
        found = [(e.features["attention_growth"], e.breaks) for e in examples_of(runs, names)]
        # Looked at after 100, 150, ... 400 steps; what never learned is one only if it counts.
        self.assertEqual(found, [(3.0, True)] + 7 * [(1.0, False)])
        self.assertEqual(len(examples_of(counting_lost(runs), names)), 15)


if __name__ == "__main__":
    unittest.main()
