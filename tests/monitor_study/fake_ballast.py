#!/usr/bin/env python3
"""Trains nothing: writes a log, saves where it is on SIGTERM, goes on from there.

Beside its folder may lie steps: `fails_at`, at which it breaks off, `unstable_at`, at which it
gives up with exit code 4, and `asks_at`, at which it asks whoever started it to stop, and waits.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

words = sys.argv[2:]
keys = {key[2:]: value for key, value in zip(words[::2], words[1::2])}
folder = Path(keys["run.dir"])
saved = folder / "checkpoints" / "step.txt"
saved.parent.mkdir(parents=True, exist_ok=True)
stop = []
signal.signal(signal.SIGTERM, lambda *_: stop.append(True))


def told(name):
    path = folder.parent / name
    return int(path.read_text()) if path.exists() else 0


may_resume = keys["checkpoint.resume"] == "true" and saved.exists()
step = int(saved.read_text()) if may_resume else 0
print("up to", keys["run.stop_at"], flush=True)
with (folder / "log.jsonl").open("a" if step else "w") as log:
    while step < int(keys["run.stop_at"]):
        step += 1
        if step == told("fails_at"):
            sys.exit("a defect")
        loss = 1.5 + 4 * 0.97**step
        record = {"step": step, "loss": loss, "grad_norm": 0.3, "lr": float(keys["optim.lr"])}
        print(json.dumps(record | {"step_s": 0.1}), file=log, flush=True)
        if step == told("unstable_at"):
            sys.exit(4)
        if step == told("asks_at"):
            os.kill(os.getppid(), signal.SIGTERM)
            while not stop:
                time.sleep(0.01)
        if stop:
            saved.write_text(str(step))
            sys.exit(75)
saved.write_text(str(step))
