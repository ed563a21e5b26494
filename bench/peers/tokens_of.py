#!/usr/bin/env python3
"""Takes the training tokens out of a ballast dataset: tokens_of.py FILE.h5 FILE.npz"""

import sys

import h5py
import numpy as np

with h5py.File(sys.argv[1]) as dataset:
    np.savez(
        sys.argv[2],
        tokens=dataset["train/tokens"][:],
        segments=dataset["train/segments"][:],
    )
