"""calibrate_test.py BENCH BALLAST: `ballast monitor calibrate` says of runs what study.py says."""

import contextlib
import io
import json
import math
import random
import re
import subprocess
import sys
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

BALLAST = sys.argv.pop(2)

from made_up import CHEAP, RATE, SPECTRAL, broken_losses, learning  # noqa: E402
import study  # noqa: E402
from labels import OUTCOMES  # noqa: E402
from plans import make_run  # noqa: E402

FEATURES = ["attention_growth", "residual_growth", "radius"]


def losses_of(draw, kind):
    """Of 400 steps, with a little noise."""
    made = {
        "broken": lambda: broken_losses(draw.randint(160, 390)),
        "early": lambda: broken_losses(draw.randint(60, 140)),
        "lost": lambda: learning(last=2.9),
        "healthy": learning,
        "spike": lambda: [x + (i == 250) for i, x in enumerate(learning())],
        "overflow": lambda: [math.nan if i > 310 else x for i, x in enumerate(learning())],
        "scaled": learning,
    }[kind]()
    return [loss + draw.gauss(0, 0.01) for loss in made]


def json_number(value):
    return value if math.isfinite(value) else None


def record(step, loss, kind):
    """Gradients of a scaled loss overflow now and then."""
    overflows = kind == "scaled" and step % 100 == 1
    return {
        "step": step,
        "loss": json_number(loss),
        "grad_norm": None if overflows else 0.3,
        "lr": 1e-2,
        "step_s": 0.1,
        "loss_scale": 65536.0 if kind == "scaled" else 1.0,
    }


def write_lines(path, objects):
    path.write_text("".join(json.dumps(o) + "\n" for o in objects))


def probe(draw, step, growth):
    features = dict.fromkeys([*CHEAP, *SPECTRAL, RATE], 0.0)
    features["attention_growth"] = draw.gauss(growth, 1.0) + step / 200
    features["residual_growth"] = draw.gauss(0.3 * growth, 0.2)
    features["gradient_norm"] = None if draw.random() < 0.1 else 0.3
    features["radius"] = None if draw.random() < 0.2 else draw.gauss(0.0, 1.0)
    return {
        "step": step,
        "source": "live",
        "feature_version": 2,
        "risk": None,
        "features": features,
        "attention_logit": [1.0, 2.0],
        "rms": [0.1, 0.2],
    }


def write_run(draw, out, size, kind, seed):
    """As study.py and ballast leave it."""
    losses = losses_of(draw, kind)
    run = make_run(size, "rate", 1e-2, seed, len(losses))
    folder = out / run.name
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps(run, default=vars))
    (folder / "done.json").write_text('{"exit_code": 0}')
    (folder / "config.resolved.ini").write_text(
        f"[model]\ndim = {run.keys['model.dim']}\nlayers = {run.keys['model.layers']}\n"
        f"norm_placement = pre\nqk_norm = false\n[run]\nsteps = {len(losses)}\n"
    )
    records = [record(i + 1, loss, kind) for i, loss in enumerate(losses)]
    write_lines(folder / "log.jsonl", records)
    growth = 1.0 if kind in ("healthy", "scaled") else 2.5
    held_out = probe(draw, 26, 50.0) | {"source": "held_out"}
    live = [probe(draw, step, growth) for step in [1, *range(5, 101, 5), *range(125, 401, 25)]]
    write_lines(folder / "monitor.jsonl", [live[0], held_out, *live[1:]])


class Calibrate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.out = Path(cls.scratch.name)
        draw = random.Random(4)
        kinds = 6 * ["broken"] + 2 * ["early", "lost", "spike", "overflow", "scaled"]
        kinds += 9 * ["healthy"]
        for seed, kind in enumerate(kinds):
            write_run(draw, cls.out, "base" if seed % 3 else "deep", kind, seed)

    def calibrate(self, *words):
        folders = sorted(path.parent for path in self.out.glob("*/done.json"))
        command = [BALLAST, "monitor", "calibrate", *folders, *words]
        return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout

    def fit(self, *words):
        options = study.parser().parse_args(["fit", str(self.out), *map(str, words)])
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(options.work(options), 0)

    def test_fits_agree(self):
        for features in (FEATURES, FEATURES[:2], FEATURES[2:]):
            wanted, found = self.out / "study.json", self.out / "ballast.json"
            names = ",".join(features)
            self.fit("--features", names, "--families", "base,deep", "--out", wanted)
            self.calibrate("--features", names, "--output", found)
            self.compare(json.loads(found.read_text()), json.loads(wanted.read_text()))

    def compare(self, found, wanted):
        for one in (found, wanted):
            del one["description"]
            one |= {f"weight of {name}": weight for name, weight in one.pop("weights").items()}
        numbers = [key for key, value in wanted.items() if isinstance(value, float)]
        for key in numbers:
            self.assertAlmostEqual(found.pop(key), wanted.pop(key), delta=1e-9)
        self.assertEqual(found, wanted)

    def test_labels_agree(self):
        table = self.calibrate("--output", self.out / "ballast.json")
        lines = [line for line in table.splitlines() if line.startswith(str(self.out))]
        rows = [re.split(r"\s{2,}", line) for line in lines]
        found = {Path(row[0]).name: row[1:] for row in rows if len(row) > 1}
        options = study.parser().parse_args(["label", str(self.out)])
        wanted = {}
        for one in study.judged_in(options.runs, options):
            event = [] if one.label.event is None else [str(one.label.event)]
            words = [one.label.outcome, *event, f"{one.label.final_loss:.3f}"]
            wanted[one.trail.run.name] = words
        self.assertEqual(found, wanted)
        self.assertEqual({row[0] for row in found.values()}, set(OUTCOMES))


if __name__ == "__main__":
    unittest.main()
