"""A copy of a dataset in which the text that a run reads in some steps is damaged.

Which windows a step reads follows from the run's seed alone, so the damage stands where the sampler
will come by, once. Kinds: "noise" (bytes at random) and "zeros" (one byte, over and over). Needs
numpy and h5py: the environment of bench/peers/install.sh has them.
"""

import hashlib
import shutil
import sys
from pathlib import Path

from plans import Run


def steps_of(damage: str) -> tuple[str, range]:
    """ "noise 600:620": the kind, and the steps from 600 up to 619."""
    kind, _, steps = damage.partition(" ")
    first, _, end = steps.partition(":")
    return kind, range(int(first), int(end))


def damage_dataset(source: Path, target: Path, run: Run) -> None:
    try:
        import h5py  # pylint: disable=import-outside-toplevel
        import numpy as np  # pylint: disable=import-outside-toplevel
    except ImportError as missing:
        raise SystemExit(
            f"{run.name} damages its data, which needs numpy and h5py ({missing}): run the study "
            "with the Python of bench/peers/install.sh"
        ) from missing
    sys.path.append(str(Path(__file__).resolve().parents[1] / "peers"))
    from draw import Windows  # pylint: disable=import-outside-toplevel

    kind, steps = steps_of(run.damage)
    seed, length = int(run.keys["run.seed"]), int(run.keys["data.seq_len"])
    batch = int(run.keys["data.global_batch"])
    shutil.copyfile(source, target)
    with h5py.File(target, "r+") as dataset:
        tokens = dataset["train/tokens"][:]
        windows = Windows(tokens, dataset["train/segments"][:], length, seed)
        random = np.random.default_rng(seed)
        for cursor in range((steps.start - 1) * batch, (steps.stop - 1) * batch):
            start = windows.start(cursor)
            noise = random.integers(0, 256, length + 1)
            tokens[start : start + length + 1] = noise if kind == "noise" else 0
        dataset["train/tokens"][:] = tokens
        dataset.attrs["train_max_token"] = np.uint64(tokens.max())
        # Another text is another dataset.
        digest = hashlib.md5(tokens.tobytes()).hexdigest()
        dataset.attrs["content_hash"] = np.bytes_(digest.encode())
