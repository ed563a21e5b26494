#!/usr/bin/env python3
"""Ballast beside PyTorch FSDP2 and DDP: same model, tokens and initial weights, on this machine.

usage: compare.py BUILD [--precision bf16,fp32] [--ranks 2] [--tokens 2048,64] [--model bench,134m]
                  [--quick] [--steps W,T] [--also KEY=VALUE,...] [--continue] [-- --KEY VALUE ...]
       compare.py BUILD --prepare-only FOLDER
       compare.py --report FILE.json ...

BUILD is a release build folder with benchmarks. The peers run in a virtual environment that
bench/peers/install.sh makes, or in the Python that --python names. For each case the peers'
settings are searched for the fastest; then ballast and the fastest run in turns, the GEMM ceiling
of all ranks at once between them. Losses must agree, or nothing is compared. Results go to
BUILD/peers/results.json and, in full mode, to docs/benchmarks.md. With --also ballast runs a second
time in each turn, with these keys; with parallel.threads=N among them each rank stands for N. Keys
after -- go to all of ballast's trainings. Leave the machine alone meanwhile; interrupted, --continue
goes on.
"""

import argparse
import itertools
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import points
import report
from machine import cores, describe
from points import Point
from report import OWN, is_own, own_with
from results import Results
from runs import Length, Run, RunFailed, run_ballast, run_peer
from shapes import SHAPES, Case

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path += [str(HERE.parent / "step")]
from step_against_gemm import ceiling  # noqa: E402

COMPARED_STEPS = 3
TOLERANCE = {"fp32": 1e-4, "bf16": 3e-2}  # of the loss; bf16 rounds in other places


class Bench:
    """Files that all runs share, and how they are started."""

    def __init__(self, options: argparse.Namespace, folder: Path):
        self.build = options.build.resolve()
        self.python = options.python
        self.keys = options.keys
        self.own = [OWN] + ([own_with(options.also)] if options.also else [])
        self.also = options.also
        self.folder = folder
        self.prepared = options.prepared or folder
        self.numbers = itertools.count()

    def dataset(self, case: Case) -> Path:
        """For ballast; the same tokens lie beside it, as .npz."""
        path = self.prepared / f"{case.shape.vocabulary}.h5"
        if not path.exists():
            prepare(self.build, self.python, case.shape.vocabulary, path)
        return path

    def weights(self, case: Case) -> Path:
        path = self.prepared / f"{case.model}.npy"
        if not path.exists():
            run_tool(self.python, HERE / "draw.py", case.model, path)
        return path

    def ballast(self, case: Case, length: Length, name: str = OWN) -> Run:
        keys = list(self.keys)
        if name != OWN:
            keys += [word for key, value in self.also for word in (f"--{key}", value)]
        with self.new_folder() as folder:
            return run_ballast(self.build, case, self.dataset(case), Path(folder), length, keys)

    def peer(self, case: Case, point: Point, length: Length) -> Run:
        tokens = self.dataset(case).with_suffix(".npz")
        with self.new_folder() as folder:
            return run_peer(
                self.python, case, point, tokens, self.weights(case), Path(folder), length
            )

    def new_folder(self):
        return tempfile.TemporaryDirectory(prefix=f"run{next(self.numbers)}-", dir=self.folder)


def run_tool(*command) -> None:
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stderr[-2000:]}")


def prepare(build: Path, python: str, vocabulary: int, path: Path) -> None:
    """The King James Bible in pieces of a vocabulary of the model's size."""
    text = path.with_suffix(".txt")
    found = subprocess.run(["bible", "Gen1:1-Rev22:21"], capture_output=True, check=True)
    text.write_bytes(found.stdout)
    tokenizer = f"sentencepiece:{vocabulary}"
    run_tool(build / "ballast", "prepare", text, "--output", path, "--tokenizer", tokenizer)
    text.unlink()
    run_tool(python, HERE / "tokens_of.py", path, path.with_suffix(".npz"))


def lengths(case: Case, quick: bool) -> tuple[Length, Length]:
    """Of a run in the search, and of one in the blocks. A compiled step is slow the first time."""
    slow = case.shape.flop_per_token(case.seq_len) * case.tokens > 1e12
    if case.tokens < 512:
        return (Length(3, 10), Length(3, 10)) if quick else (Length(5, 20), Length(5, 40))
    if quick or slow:
        return Length(2, 2), Length(2, 2 if quick else 4)
    return Length(2, 3), Length(2, 6)


def compare_losses(case: Case, name: str, own: list[float], peers: list[float]) -> None:
    for step, (a, b) in enumerate(zip(own[:COMPARED_STEPS], peers[:COMPARED_STEPS]), 1):
        if not abs(a - b) <= TOLERANCE[case.precision]:
            raise SystemExit(
                f"{case.label()}: losses differ at step {step}: ballast {a:.6f}, {name} {b:.6f}; "
                "these are not the same training"
            )


def label_of(contestant: str | Point) -> str:
    return contestant if isinstance(contestant, str) else contestant.label()


class Comparison:
    """One case: the search, the blocks, the memory. `length`: of all runs, else as they need."""

    def __init__(
        self, bench: Bench, case: Case, quick: bool, length: Length | None, results: Results
    ):
        self.bench, self.case, self.quick, self.results = bench, case, quick, results
        about = asdict(case) | {
            "step_tokens": case.step_tokens,
            "flop_per_token": case.shape.flop_per_token(case.seq_len),
            "parameters": case.shape.parameters(),
        }
        self.found = results.case(case.label(), about)
        self.search_length, self.block_length = (length, length) if length else lengths(case, quick)

    def losses(self) -> None:
        if "losses" not in self.found:
            run = self.bench.ballast(self.case, self.search_length)
            self.found["losses"] = run.losses[:COMPARED_STEPS]
            self.found["tokens_per_s"] = run.tokens_per_s
            self.results.save()
            text = " ".join(f"{loss:.5f}" for loss in self.found["losses"])
            print(f"  ballast's losses {text}", flush=True)

    def search(self, systems: list[str]) -> None:
        ranks, available = self.case.ranks, len(cores())
        for system in systems:
            self.measure(points.default_point(system, ranks))
            offered = (
                points.quick(system, ranks)
                if self.quick
                else points.tuned(
                    system, ranks, available, self.case.sequences, lambda s=system: self.best(s)
                )
            )
            for point in offered:
                self.measure(point)

    def measure(self, point: Point) -> None:
        if point.label() in self.found["grid"]:
            return
        entry = {"point": asdict(point)}
        try:
            run = self.bench.peer(self.case, point, self.search_length)
            compare_losses(self.case, point.label(), self.found["losses"], run.losses)
            entry |= run.to_json()
            entry["losses"] = run.losses[:COMPARED_STEPS]
            text = f"{run.tokens_per_s:8.0f} tokens/s   losses " + " ".join(
                f"{loss:.5f}" for loss in entry["losses"]
            )
        except RunFailed as failure:
            entry["error"] = text = str(failure)
        print(f"  {point.label():44} {text}", flush=True)
        self.found["grid"][point.label()] = entry
        self.results.save()

    def ranking(self, system: str) -> list[Point]:
        entries = [e for e in self.found["grid"].values() if e["point"]["system"] == system]
        measured = [e for e in entries if "tokens_per_s" in e]
        measured.sort(key=lambda e: -e["tokens_per_s"])
        return [Point(**e["point"]) for e in measured]

    def best(self, system: str) -> Point:
        ranking = self.ranking(system)
        return ranking[0] if ranking else points.default_point(system, self.case.ranks)

    def contestants(self) -> list[Point]:
        """The two fastest of FSDP2, which the search's short runs may have mixed up, its default,
        and the fastest of each other peer. The same in all blocks."""
        if self.found["blocks"]:
            names = [name for name in self.found["blocks"][0]["runs"] if not is_own(name)]
            return [Point(**self.found["grid"][name]["point"]) for name in names]
        fsdp2, default = self.ranking("fsdp2"), points.default_point("fsdp2", self.case.ranks)
        chosen = fsdp2[: 1 if self.quick else 2] + [point for point in fsdp2 if point == default]
        for system in ("ddp", "deepspeed"):
            chosen += self.ranking(system)[:1]
        return list(dict.fromkeys(chosen))

    def run(self, contestant: str | Point) -> Run:
        """Of ballast by name, or of a point. The first also looks at its memory, after the timed
        steps."""
        name = label_of(contestant)
        length = self.block_length
        if name not in self.found["memory"]:
            length = replace(length, watched=1 if self.case.tokens >= 512 else 10)
        if isinstance(contestant, str):
            run = self.bench.ballast(self.case, length, contestant)
        else:
            run = self.bench.peer(self.case, contestant, length)
        compare_losses(self.case, name, self.found["losses"], run.losses)
        if length.watched:
            self.found["memory"][name] = {"peak": run.pss_mib, "empty": run.empty_mib}
            self.results.save()
            print(f"  {name:44} {run.pss_mib:8.0f} MiB over all ranks", flush=True)
        return run

    def blocks(self, count: int) -> None:
        """The ceiling is measured between them, before the first and after the last."""
        contestants = self.contestants()
        if len(self.found["blocks"]) < count:
            _, before = self.ceiling()
        while len(self.found["blocks"]) < count:
            number = len(self.found["blocks"])
            runs = {}
            turns = [*self.bench.own, *contestants]
            for contestant in turns if number % 2 == 0 else reversed(turns):
                runs[label_of(contestant)] = self.run(contestant).to_json()
            library, after = self.ceiling()
            block = {"library": library, "ceiling": (before + after) / 2, "runs": runs}
            before = after
            self.found["blocks"].append(block)
            self.results.save()
            rates = ", ".join(f"{name} {run['tokens_per_s']:.0f}" for name, run in runs.items())
            print(f"  block {number}: ceiling {block['ceiling']:.1f} GFLOP/s; {rates}", flush=True)

    def ceiling(self) -> tuple[str, float]:
        return ceiling(self.bench.build, self.case.ranks, self.case.precision)

    def memory(self) -> None:
        """Where the blocks came without it."""
        for contestant in [*self.bench.own, *self.contestants()]:
            if label_of(contestant) not in self.found["memory"]:
                self.run(contestant)


def arguments() -> argparse.Namespace:
    def words(text: str) -> list[str]:
        return text.split(",")

    def numbers(text: str) -> list[int]:
        return [int(word) for word in text.split(",")]

    def pairs(text: str) -> list[tuple[str, str]]:
        return [tuple(pair.split("=", 1)) for pair in text.split(",")]

    def steps(text: str) -> Length:
        return Length(*numbers(text))

    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=argparse.SUPPRESS,
    )
    parser.add_argument("build", type=Path, nargs="?")
    parser.add_argument("--model", type=words, default=["bench"], help="of " + ", ".join(SHAPES))
    parser.add_argument("--precision", type=words, default=["bf16", "fp32"])
    parser.add_argument("--tokens", type=numbers, default=[2048, 64], help="a rank")
    parser.add_argument("--ranks", type=int, default=len(cores()), help="else one a core")
    parser.add_argument("--systems", type=words, default=["fsdp2", "ddp"], help="also: deepspeed")
    parser.add_argument("--blocks", type=int, help="5, or 2 with --quick; 0: only the search")
    parser.add_argument(
        "--steps", type=steps, metavar="W,T", help="of all runs: W to warm up, T that count"
    )
    parser.add_argument("--quick", action="store_true", help="few points, few steps, two blocks")
    parser.add_argument("--also", type=pairs, metavar="KEY=VALUE,...", help="of ballast's other run")
    parser.add_argument("--continue", dest="go_on", action="store_true")
    parser.add_argument("--python", help="that has torch and numpy; else the environment's")
    parser.add_argument("--prepare-only", type=Path, metavar="FOLDER", help="make the data and end")
    parser.add_argument("--prepared", type=Path, metavar="FOLDER", help="made by --prepare-only")
    parser.add_argument("--output", type=Path, help="BUILD/peers/results.json if not given")
    parser.add_argument("--docs", type=Path, help="where benchmarks.md goes; docs/ in full mode")
    parser.add_argument("--report", type=Path, nargs="+", metavar="FILE", help="write it again")
    own, keys = sys.argv[1:], []
    if "--" in own:
        keys = own[own.index("--") + 1 :]
        own = own[: own.index("--")]
    options = parser.parse_args(own)
    options.keys = keys
    if not options.report and options.build is None:
        parser.error("BUILD is missing")
    for name in options.model:
        if name not in SHAPES:
            parser.error(f"no model {name}: one of {', '.join(SHAPES)}")
    return options


def require_peers(options: argparse.Namespace) -> None:
    environment = ROOT / "build/peers/venv/bin/python"
    options.python = options.python or str(environment)
    probe = [options.python, "-c", "import torch, numpy"]
    try:
        works = subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except OSError:
        works = False
    if not works:
        raise SystemExit(
            f"{options.python} does not run torch and numpy: make the environment with\n"
            "  bench/peers/install.sh\nor name a Python that has them with --python"
        )


def prepare_only(options: argparse.Namespace) -> None:
    options.prepare_only.mkdir(parents=True, exist_ok=True)
    options.prepared = options.prepare_only
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, Path(folder))
        for model in options.model:
            print(bench.dataset(Case(model, "fp32", SHAPES[model].seq_len, 1)))


def compare(options: argparse.Namespace) -> Path:
    output = options.output or options.build / "peers/results.json"
    results = Results(output, describe(options.build, options.python), options.go_on)
    blocks = (2 if options.quick else 5) if options.blocks is None else options.blocks
    combinations = itertools.product(options.model, options.tokens, options.precision)
    scratch = options.build.resolve() / "peers"
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        bench = Bench(options, Path(folder))
        for model, tokens, precision in combinations:
            case = Case(model, precision, tokens, options.ranks)
            print(case.label(), flush=True)
            comparison = Comparison(bench, case, options.quick, options.steps, results)
            try:
                comparison.losses()
                comparison.search(options.systems)
                if blocks > 0:
                    comparison.blocks(blocks)
                    comparison.memory()
            except RunFailed as failure:
                raise SystemExit(f"{case.label()}: a training failed: {failure}") from failure
    return output


def main() -> None:
    options = arguments()
    if options.report:
        report.write(options.report, options.docs or ROOT / "docs")
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))  # and so are the ranks
    require_peers(options)
    if options.prepare_only:
        prepare_only(options)
        return
    output = compare(options)
    print(report.table(report.read([output])))
    docs = options.docs or (None if options.quick else ROOT / "docs")
    if docs:
        report.write([output], docs)


if __name__ == "__main__":
    main()
