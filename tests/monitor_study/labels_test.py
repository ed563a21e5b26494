"""labels_test.py BENCH: outcomes of made-up losses."""

import unittest

from made_up import broken_losses, learning, record, records_of
from curves import Record
from labels import label


def outcome(losses, **more):
    found = label(records_of(losses), 400, **more)
    return found.outcome, found.event


class Labels(unittest.TestCase):
    def test_a_falling_loss_is_healthy(self):
        self.assertEqual(outcome(learning()), ("healthy", None))

    def test_a_loss_that_stays_high_never_learned(self):
        self.assertEqual(outcome(learning(last=2.5)), ("never learned", None))
        self.assertEqual(outcome(learning(last=2.5), bar=2.6), ("healthy", None))

    def test_a_rise_that_stays_is_drift_from_where_the_smoothed_loss_crosses(self):
        kind, event = outcome(broken_losses(301))
        self.assertEqual(kind, "drift")
        # A rise of one nat is 0.3 in a mean of 10 after 3 steps, or 4 since the loss still falls.
        self.assertIn(event, (303, 304))

    def test_a_rise_must_stay_for_twenty_steps(self):
        losses = learning()
        # The mean over 10 steps is beyond 0.3 from the 4th step of a rise by 0.8 to the 6th after.
        for long, kind in ((17, "drift"), (10, "spike")):
            lifted = [x + 0.8 * (200 <= i < 200 + long) for i, x in enumerate(losses)]
            self.assertEqual(outcome(lifted)[0], kind, long)

    def test_a_small_or_an_early_rise_is_nothing(self):
        lifted = [x + 0.28 * (i >= 300) for i, x in enumerate(learning())]
        self.assertEqual(outcome(lifted)[0], "healthy")
        early = [x + 2.0 * (5 <= i < 8) for i, x in enumerate(learning())]
        self.assertEqual(outcome(early)[0], "healthy")

    def test_a_spike_has_its_step(self):
        losses = learning()
        losses[249] += 0.7
        self.assertEqual(outcome(losses), ("spike", 250))
        self.assertEqual(outcome(losses, bar=1.4), ("never learned", None))

    def test_what_is_not_finite_or_beyond_the_limits_diverged(self):
        for bad in (record(250, float("nan")), record(250, 51.0), record(250, 1.0, 501.0)):
            records = records_of(learning())
            records[249] = bad
            found = label(records, 400)
            self.assertEqual((found.outcome, found.event), ("diverged", 250))

    def test_overflow_of_a_scaled_loss_is_no_divergence(self):
        records = records_of(learning())
        records[249] = Record(250, 1.6, float("nan"), 1e-2, loss_scale=65536.0)
        self.assertEqual(label(records, 400).outcome, "healthy")
        records[249] = Record(250, float("nan"), float("nan"), 1e-2, loss_scale=65536.0)
        self.assertEqual(label(records, 400).outcome, "diverged")

    def test_what_drifts_before_it_overflows_broke_when_it_drifted(self):
        records = records_of(broken_losses(201))
        records[349] = record(350, float("nan"))
        found = label(records, 400)
        self.assertEqual(found.outcome, "diverged")
        self.assertIn(found.event, (203, 204))

    def test_events_past_the_horizon_do_not_count(self):
        found = label(records_of(broken_losses(301)), 300)
        self.assertEqual(found.outcome, "healthy")

    def test_a_run_that_gave_up_diverged(self):
        found = label(records_of(learning(300)), 400, gave_up=True)
        self.assertEqual((found.outcome, found.event), ("diverged", 300))


if __name__ == "__main__":
    unittest.main()
