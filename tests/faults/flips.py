"""Damaged checkpoints: every byte of one flipped, cut at every length, random bits of a larger one,
and runs that go on from what is left."""

import flip_fallback
import flip_found

SUBJECTS = {"bytes": flip_found.flipped_bytes, "cuts": flip_found.cuts,
            "bits": flip_found.random_bits, "fallback": flip_fallback.fallback}


def run(training, _, books, counts):
    """`counts`: trials by subject; 0 for all that there are."""
    for subject, count in counts.items():
        folder = training.folder / f"flips-{subject}"
        folder.mkdir()
        SUBJECTS[subject](training, folder, books, count)


FEW = {"bytes": 400, "cuts": 200, "bits": 100, "fallback": 4}
ALL = {"bytes": 0, "cuts": 0, "bits": 10000, "fallback": 100}
