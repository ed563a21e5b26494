"""The settings a peer may run with, and the search for the fastest of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product


@dataclass(frozen=True)
class Point:
    system: str  # "fsdp2", "ddp" or "deepspeed"
    ranks: int
    threads: int = 1
    fused: bool = False  # AdamW(fused=True)
    compiled: bool = False  # torch.compile of each block and of the loss
    allocator: str = "default"  # "thp", "tcmalloc"
    reshard: bool = True  # FSDP2: reshard_after_forward
    prefetch: int = 0  # FSDP2: units named to set_modules_to_*_prefetch
    async_op: bool = False  # FSDP2: _set_unshard_async_op
    zero1: bool = False  # DDP: ZeroRedundancyOptimizer

    def label(self) -> str:
        words = [f"{self.system} {self.ranks}x{self.threads}"]
        if self.fused:
            words.append("fused")
        if not self.reshard:
            words.append("no reshard")
        if self.prefetch:
            words.append(f"prefetch {self.prefetch}")
        if self.async_op:
            words.append("async")
        if self.zero1:
            words.append("ZeRO-1")
        if self.compiled:
            words.append("compile")
        if self.allocator != "default":
            words.append(self.allocator)
        return ", ".join(words)


Best = Callable[[], Point]


def default_point(system: str, ranks: int) -> Point:
    """What the tutorial says."""
    return Point(system, ranks)


def splits(best: Point, cores: int, sequences: int) -> list[Point]:
    """All cores, as other numbers of ranks and threads; each rank gets whole sequences."""
    return [
        replace(best, ranks=ranks, threads=cores // ranks)
        for ranks in range(1, cores + 1)
        if cores % ranks == 0 and sequences % ranks == 0
    ]


def tuned(system: str, ranks: int, cores: int, sequences: int, best: Best) -> Iterator[Point]:
    """Points to measure: all combinations of the settings that may help or hurt each other, and
    from the best of them on one by one. best() is asked between stages; points may come twice."""
    start = Point(system, ranks, fused=True)
    if system == "fsdp2":
        for reshard, prefetch, async_op in product((True, False), (0, 1), (False, True)):
            yield replace(start, reshard=reshard, prefetch=prefetch, async_op=async_op)
        yield replace(best(), prefetch=2, async_op=True)
    elif system == "ddp":
        yield start
        yield replace(start, zero1=True)
    elif system == "deepspeed":
        yield start
        yield from splits(best(), cores, sequences)
        return
    yield replace(best(), compiled=True)
    yield from splits(best(), cores, sequences)
    fastest = best()
    for allocator in ("thp", "tcmalloc"):
        yield replace(fastest, allocator=allocator)


def quick(system: str, ranks: int) -> Iterator[Point]:
    start = Point(system, ranks, fused=True)
    yield start
    if system == "fsdp2":
        yield replace(start, reshard=False, prefetch=1, async_op=True)
