"""Calls of a rank that stop it, fail, or do half of their work: fault_point.c, built and set up."""

import errno
import os
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("fault_point.c")


class FaultPoint:
    """The library, compiled into `folder`."""

    def __init__(self, folder):
        self.library = folder / "fault_point.so"
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", self.library, SOURCE, "-ldl"],
                       check=True)

    def environment(self, path, *, rank=0, call="", at=0, times=1, mode="stop", log=""):
        """For a job whose `rank` is disturbed in its `at`-th call on `path`, and so many `times`.

        `mode`: stop, short, or an error: EIO, EROFS, ENOSPC.
        """
        number = getattr(errno, mode, mode)
        return {"LD_PRELOAD": str(self.library), "FAULT_RANK": str(rank), "FAULT_PATH": str(path),
                "FAULT_CALL": call, "FAULT_AT": str(at), "FAULT_TIMES": str(times),
                "FAULT_MODE": str(number), "FAULT_LOG": str(log)}
