"""Disks of a trial: small ones, and such that become read-only. They need mounts of their own
(trials.py sees to that)."""

import contextlib
import subprocess


def _mount(*words):
    subprocess.run(["mount", *map(str, words)], check=True)


@contextlib.contextmanager
def small_disk(folder, kib):
    """A disk of so many KiB at `folder`."""
    folder.mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", folder)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@contextlib.contextmanager
def read_only(folder):
    """`folder` takes no new file and gives none away; files that are open stay as they were."""
    # Where nobody opens files it can be made read-only at any moment.
    aside = folder.with_name(folder.name + "-aside")
    aside.mkdir()
    _mount("--bind", folder, aside)
    _mount("-o", "remount,ro,bind", aside)
    _mount("--bind", aside, folder)
    try:
        yield
    finally:
        for mounted in (folder, aside):
            subprocess.run(["umount", "--lazy", mounted], check=True)


@contextlib.contextmanager
def filled(folder):
    """The disk of `folder` is full."""
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        filler.unlink()
