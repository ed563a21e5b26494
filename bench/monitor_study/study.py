#!/usr/bin/env python3
"""Which signal warns before a training breaks: runs many small ones, and judges every signal.

usage: study.py plan PLAN [--rates SIZE=LR,...] [--json]
       study.py run PLAN --build BUILD --data FILE.h5 --out RUNS [--jobs N] [--limit-s S]
                [--rates SIZE=LR,...] [--only FAMILY,...]
       study.py run saved --from RUNS [--calibration FILE] [--healthy N] --build ... --out SAVED
       study.py label RUNS
       study.py fit RUNS --features NAME,... [--families base] --out calibration.json
       study.py analyze RUNS --docs docs [--families base] [--calibration FILE] [--saved SAVED]
                [--damaged DAMAGED]

PLAN: pilot, scout, small, blind or large, or a JSON file as `plan --json` writes it. Each run trains on a
core of its own. Where half of the runs of a size break, `scout` shows: --rates says it to the other
plans. What was interrupted goes on with the next call, what is done is not done again.
`fit` does for families of a study what `ballast monitor calibrate` does for any runs.
`saved` repeats the runs that broke, and as many healthy ones, with monitor.on_alert = lower_lr.
Needs nothing but Python 3.11, taskset and ballast.
"""

import argparse
import sys
from pathlib import Path

import plans
from alarms import Judged, counting_lost
from analysis import Settings, analyze, judge, rescue
from curves import Trail, read_all
from damage_report import damage_section
from fitting import calibration_json
from labels import BAR
from plans import Run
from report import write
from runner import Place, processors, run_all


RATES = "what breaks half of the runs of a size, as 'base=0.05,deep=0.03'"


def show_plan(options: argparse.Namespace) -> int:
    runs = plans.load(options.plan, options.rates)
    print(plans.to_json(runs) if options.json else plans.summary(runs))
    return 0


def settings_of(options: argparse.Namespace, trails: list[Trail]) -> Settings:
    return Settings(
        options.families.split(","),
        options.horizon or min(trail.run.steps() for trail in trails),
        options.bar,
        options.threshold,
        getattr(options, "calibration", None),
    )


def judged_in(folder: Path, options: argparse.Namespace) -> list[Judged]:
    trails = read_all(folder)
    return judge(trails, settings_of(options, trails))


def runs_to_save(options: argparse.Namespace) -> list[Run]:
    """All that broke or never learned, and healthy ones evenly over the rates."""
    judged = judged_in(options.source, options)
    broken = [one.trail.run for one in counting_lost(judged) if one.is_bad()]
    sound = [one.trail.run for one in judged if one.label.is_healthy()]
    wanted = len(broken) if options.healthy is None else options.healthy
    return plans.saved(broken + evenly(sound, wanted), options.calibration)


def evenly(runs: list[Run], wanted: int) -> list[Run]:
    ordered = sorted(runs, key=lambda run: (run.lr, run.name))
    count = min(wanted, len(ordered))
    return [ordered[(2 * i + 1) * len(ordered) // (2 * count)] for i in range(count)]


def ballast_in(build: Path) -> Path:
    found = build / "ballast" if build.is_dir() else build
    if not found.is_file():
        raise SystemExit(f"{found}: is not there; build the target ballast")
    return found.resolve()


def run_plan(options: argparse.Namespace) -> int:
    if options.plan == "saved" and options.source is None:
        raise SystemExit("'run saved' needs --from RUNS: the study whose runs it repeats")
    is_saved = options.plan == "saved"
    runs = runs_to_save(options) if is_saved else plans.load(options.plan, options.rates)
    if options.only:
        runs = [run for run in runs if run.family in options.only.split(",")]
    place = Place(ballast_in(options.build), options.data.resolve(), options.out.resolve())
    is_complete = run_all(runs, place, options.jobs, options.limit_s)
    if not is_complete:
        print("not complete: the same command goes on")
    return 0 if is_complete else 75


def show_labels(options: argparse.Namespace) -> int:
    for one in judged_in(options.runs, options):
        event = "" if one.label.event is None else f"at step {one.label.event}"
        final = f"{one.label.final_loss:.3f}"
        print(f"{one.trail.run.name:<36} {one.label.outcome:<14} {final:>8} {event}")
    return 0


def fit_calibration(options: argparse.Namespace) -> int:
    families = options.families.split(",")
    judged = judged_in(options.runs, options)
    runs = [one for one in counting_lost(judged) if one.trail.run.family in families]
    about = options.description or f"{len(runs)} runs of the families {', '.join(families)}"
    try:
        text = calibration_json(runs, options.features.split(","), about)
    except ValueError as error:
        raise SystemExit(f"{options.runs}, families {', '.join(families)}: {error}") from error
    options.out.write_text(text)
    print(text, end="")
    return 0


def write_report(options: argparse.Namespace) -> int:
    trails = read_all(options.runs)
    study = analyze(trails, settings_of(options, trails))
    rescued = None
    if options.saved:
        rescued = rescue(study, judge(read_all(options.saved), study.settings))
    damaged = ""
    if options.damaged:
        damaged = damage_section(judge(read_all(options.damaged), study.settings))
    write(study, options.docs, options.plan, rescued, damaged)
    print(f"{len(study.runs)} runs → {options.docs / 'monitor-study.md'}")
    return 0


def add_judging(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--families", default="base", help="that fits may see; default: base")
    parser.add_argument("--horizon", type=int, help="last step judged; default: the shortest run's")
    parser.add_argument("--bar", type=float, default=BAR, help="final loss of what never learned")
    parser.add_argument("--threshold", type=float, default=0.5, help="of the risk as logged")


def parser() -> argparse.ArgumentParser:
    main = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n\n")[0])
    commands = main.add_subparsers(required=True)

    plan = commands.add_parser("plan")
    plan.add_argument("plan")
    plan.add_argument("--json", action="store_true")
    plan.add_argument("--rates", default="", help=RATES)
    plan.set_defaults(work=show_plan)

    run = commands.add_parser("run")
    run.add_argument("plan")
    run.add_argument("--build", type=Path, required=True)
    run.add_argument("--data", type=Path, required=True)
    run.add_argument("--out", type=Path, required=True)
    run.add_argument("--jobs", type=int, default=len(processors()))
    run.add_argument("--limit-s", type=float)
    run.add_argument("--rates", default="", help=RATES)
    run.add_argument("--only", help="families, with commas between")
    run.add_argument("--from", dest="source", type=Path)
    run.add_argument("--calibration", type=Path)
    run.add_argument("--healthy", type=int)
    add_judging(run)
    run.set_defaults(work=run_plan)

    labels = commands.add_parser("label")
    labels.add_argument("runs", type=Path)
    add_judging(labels)
    labels.set_defaults(work=show_labels)

    fit = commands.add_parser("fit")
    fit.add_argument("runs", type=Path)
    fit.add_argument("--features", required=True)
    fit.add_argument("--out", type=Path, required=True)
    fit.add_argument("--description")
    add_judging(fit)
    fit.set_defaults(work=fit_calibration)

    report = commands.add_parser("analyze")
    report.add_argument("runs", type=Path)
    report.add_argument("--docs", type=Path, required=True)
    report.add_argument("--plan", default="small", help="the plans' names, for the text")
    report.add_argument("--calibration", type=Path)
    report.add_argument("--saved", type=Path)
    report.add_argument("--damaged", type=Path, help="runs of the plan 'damaged'")
    add_judging(report)
    report.set_defaults(work=write_report)
    return main


def main() -> int:
    options = parser().parse_args()
    return options.work(options)


if __name__ == "__main__":
    sys.exit(main())
