"""What the report says before and after its figures."""

INTRODUCTION = """\
# Which signal warns before a training breaks

Small models, trained side by side on one core each, some at rates that break them. Every signal of
the monitor is judged by the same runs: what does it catch, how early, and how often does it cry
wolf? The learning rate alone is among them, since it decides most outcomes here: a signal that
ranks no better tells its user nothing new.

## How it was made

{plans}
    python3 bench/monitor_study/study.py analyze RUNS --docs docs --families {families}{more}

Text: the King James Bible as bytes. AdamW 0.9/0.95, weight decay 0.1, clipping at 1, 2,048 tokens
a step, 100 steps of warm-up, then a constant rate; what a run's name says differs. Each run draws
its own weights and data order. Probes are the default ones: 2,048 tokens each 25 steps, more often
in warm-up and after an alert; a score is the median of the last 5 probes.

Settled before the runs: labels, rules, thresholds of what is shipped, features of the fits. Fits
and the sign of single signals come from these families alone: {fitted}. **Held out** are the runs
of other widths and depths. A fit looks at a run every 50 steps from the end of the warm-up until it
breaks, all looks of a run weighing as much as one: does it break within the next 400 steps?

- Outcomes: *diverged*: not finite, loss above 50 or gradient norm above 500. *Drift*: the loss,
  averaged over 10 steps, rises 0.3 nats above its lowest and stays there for 20 steps. *Spike*:
  it rises 0.5 nats and comes back sooner. *Never learned*: above {bar} nats at step {horizon}.
  Events are searched from step 20. To break is to diverge or drift.
- An alarm is the first probe whose score reaches the threshold, of what is shipped from step 20
  on, of all else from step {warm_up} on, the end of the warm-up. It catches a run if it comes
  before the event; in a healthy run it is false, whenever it comes. Runs that spike or never learn
  count as neither; where it says so, to never learn counts as breaking, without a lead. The fits
  always count it, as the rules did.
- Main tables: events after step {read_at}. *At equal false alarms*: the threshold that lets at most
  {false:.0%} of the healthy runs of the same set ever alarm. AUROC and Brier: scores read at step
  {read_at}; "peak": the highest score before the event or the horizon, which favors healthy runs
  less than it seems, since they are watched longer. Intervals: 95%, Wilson; leads: median
  [quartiles].
"""

LIMITS = """\
## What this does not show

- One text, byte tokens, small models, one optimizer; mostly pre-norm. In most of these runs the
  learning rate is what breaks them.
- *Healthy* says only that the loss never broke away. Near the rate that breaks half of the runs,
  healthy ones end above those of lower rates; an alarm there counts as false all the same.
- The equal-false-alarm threshold is set on the very runs it is judged on, for every signal alike;
  the table of carried thresholds is the one a user lives with.
"""
