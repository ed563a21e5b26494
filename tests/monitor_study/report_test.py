"""report_test.py BENCH: the whole analysis, on a study whose answer is known."""

import json
import random
import unittest
import xml.dom.minidom
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from made_up import Alert, broken_losses, learning, trail
from analysis import Settings, analyze, rescue, was_lowered
from curves import Trail, read_all
from damage_report import damage_section
from fitting import calibration_json
from labels import label
from alarms import Judged
from plans import Run, make_run
from report import markdown, write

SETTINGS = Settings(["base"], horizon=400)


def a_study(folder: Path) -> None:
    """Attention logits tell all, the spectrum nothing: half of the runs break at step 301."""
    draw = random.Random(1)
    for size, first in (("base", 0), ("deep", 100)):
        for seed in range(first, first + 12):
            breaks = seed % 2 == 0
            losses = broken_losses(301) if breaks else learning()
            growth = draw.gauss(10.0 if breaks else 6.0, 0.5)
            risk = 0.9 if breaks else 0.1
            spectrum = {name: draw.gauss(0, 1) for name in ("expanding", "radius", "gain")}
            made = trail(losses, growth, size=size, seed=seed, risk=risk, **spectrum)
            put(folder / made.run.name, made)


def put(folder: Path, made: Trail) -> None:
    folder.mkdir(parents=True)
    records = [
        {"step": r.step, "loss": r.loss, "grad_norm": r.grad_norm, "lr": r.lr, "step_s": 0.1}
        | ({"step_s": 0.15} if r.step % 25 == 0 else {})
        for r in made.records
    ]
    probes = [asdict(probe) | {"source": "live"} for probe in made.probes]
    held_out = asdict(made.probes[0]) | {"source": "held_out"}
    alert = {"step": 26, "kind": "loss", "severity": "info"}
    for name, lines in (
        ("log.jsonl", records),
        ("monitor.jsonl", [held_out, *probes]),
        ("alerts.jsonl", [alert]),
    ):
        (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "run.json").write_text(json.dumps(asdict(made.run)))
    (folder / "done.json").write_text('{"exit_code": 0}')


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.folder = Path(cls.scratch.name)
        a_study(cls.folder / "runs")
        cls.study = analyze(read_all(cls.folder / "runs"), SETTINGS)

    def merit(self, name):
        merits = self.study.merits(self.study.held_out())
        return next(m for m in merits if m.signal.name == name)

    def test_what_tells_is_told_from_what_does_not(self):
        self.assertEqual(self.merit("attention_growth").auroc_read, 1.0)
        self.assertEqual(self.merit("attention_growth").at_equal.recall.value(), 1.0)
        self.assertEqual(self.merit("fit: cheap").auroc_read, 1.0)
        self.assertLess(self.merit("fit: spectral").auroc_read, 0.9)
        self.assertEqual(self.merit("learning_rate").auroc_read, 0.5)

    def test_fits_see_the_fitted_family_alone(self):
        self.assertEqual({o.trail.run.family for o in self.study.held_out()}, {"deep"})
        self.assertEqual({o.trail.run.family for o in self.study.fitted()}, {"base"})

    def test_the_shipped_risk_is_judged_at_its_threshold(self):
        name, found = self.study.as_shipped(self.study.runs)[0]
        self.assertEqual(name, "risk as logged")
        self.assertEqual((found.recall.hits, found.recall.of, found.false.hits), (12, 12, 0))

    def test_the_report_and_its_pictures_are_whole(self):
        docs = self.folder / "docs"
        write(self.study, docs, "small", None)
        text = (docs / "monitor-study.md").read_text()
        self.assertIn("| base | 12 | 0 | 6 | 0 | 0 | 6 | 30", text)
        self.assertIn("study.py run small", text)
        self.assertIn("| deep | 100 | 50 | 2.0% |", text)
        for name in ("risk", "recall", "roc"):
            self.assertIn(f"monitor-study-{name}.svg", text)
            xml.dom.minidom.parse(str(docs / f"monitor-study-{name}.svg"))
        for line in text.splitlines():
            self.assertNotIn("nan", line.split())

    def test_a_calibration_covers_what_it_was_fitted_on(self):
        runs = self.study.runs
        value = json.loads(calibration_json(runs, ["attention_growth"], "all"))
        self.assertEqual(value["covers"]["layers"], [4, 8])
        self.assertEqual(value["covers"]["dim"], [64, 64])
        self.assertGreater(value["weights"]["attention_growth"], 0)
        path = self.folder / "c.json"
        path.write_text(json.dumps(value))
        study = analyze(read_all(self.folder / "runs"), Settings(["base"], 400, calibration=path))
        found = study.as_shipped(study.runs)[0][1]
        self.assertEqual((found.recall.value(), found.false.hits), (1.0, 0))

    def test_rescued_runs_are_counted_and_their_price(self):
        repeated = []
        for one in self.study.runs:
            run = Run(**{**vars(one.trail.run), "name": "again", "origin": one.trail.run.name})
            losses = learning(last=1.515) if one.label.is_healthy() else learning()
            if one.trail.run.name == self.study.runs[0].trail.run.name:
                losses = broken_losses(301)
            made = Trail(run, trail(losses, 0.0).records, [], [], False)
            repeated.append(Judged(made, label(made.records, 400)))
        found = rescue(self.study, repeated)
        self.assertEqual((found.saved.hits, found.saved.of), (11, 12))
        self.assertAlmostEqual(found.cost[0], 0.01, 4)
        self.assertEqual(found.touched.hits, 0)
        self.assertIn("11/12", markdown(self.study, "small", found))

    def test_damaged_runs_are_told_apart(self):
        losses = learning()
        hit = losses[:299] + [loss + 2.0 for loss in losses[299:319]] + losses[319:]
        made = []
        for seed, alerts in ((1, [Alert(303, "loss", "warning"), Alert(350, "risk", "critical")]),
                             (2, [Alert(345, "loss", "warning")])):
            run = Run(**{**vars(make_run("base", "noisy-data", 1e-2, seed, 400)),
                         "damage": "noise 300:320"})
            whole = Trail(run, trail(hit, 0.0).records, [], alerts, False)
            made.append(Judged(whole, label(whole.records, 400)))
        text = damage_section(made)
        self.assertIn("Seen in 1/2", text)
        self.assertIn("steps 300 to 319", text)
        self.assertIn("-s1 | drift | 1.50 | +2.00 | loss, step 303 | – | 350 |", text)
        self.assertIn("-s2 | drift | 1.50 | +2.00 | – | – | – |", text)
        self.assertIn(text, markdown(self.study, "small", None, text))

    def test_without_a_run_that_broke_nothing_is_fitted_but_all_is_told(self):
        trails = [t for t in read_all(self.folder / "runs") if int(t.run.keys["run.seed"]) % 2]
        study = analyze(trails, SETTINGS)
        self.assertIn("Nothing was fitted", markdown(study, "small", None))
        write(study, self.folder / "empty", "small", None)

    def test_a_lowered_rate_is_seen(self):
        before, after = trail(learning(), 0.0), trail(learning(), 0.0)
        self.assertFalse(was_lowered(before, after))
        halved = [r.__class__(r.step, r.loss, r.grad_norm, r.lr / 2) for r in after.records]
        self.assertTrue(was_lowered(before, Trail(after.run, halved, [], [], False)))


if __name__ == "__main__":
    unittest.main()
