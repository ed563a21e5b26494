"""Renders results as Markdown and, where matplotlib is, as a plot."""

import json
import statistics
from dataclasses import dataclass
from pathlib import Path

from estimates import Estimate, ratio
from points import Point

INTRODUCTION = """# Benchmarks

Ballast beside PyTorch FSDP2 and DDP (gloo, CPU) on the same machine. Written by
[bench/peers/compare.py](../bench/peers/compare.py); `python3 bench/peers/compare.py
build/release` measures again (`bench/peers/install.sh` first brings PyTorch into an environment
of its own).

**What is compared.** The same Llama-style model, initial weights (drawn from the same counters)
and tokens; forward, backward, clipping at 1, AdamW on fp32 master weights, and the loss summed
over the ranks, in every step. The losses of the first three steps must agree (fp32: to 0.0001),
or nothing is reported. Every peer point takes the same tokens a step, on all cores at most.
PyTorch runs `scaled_dot_product_attention`, `rms_norm` and `cross_entropy`; in bf16 FSDP2
computes with `MixedPrecisionPolicy(bf16, reduce fp32)`, its residual stream in bf16, and DDP
under `autocast`; ballast keeps the residual stream in fp32.

**How.** The settings of each peer are searched (all points are below), then ballast, the fastest
points and the default run in turns, a process each, first steps dropped, the order reversed in
every other block. Ratios are medians over the blocks in which both ran, with 95% bootstrap
intervals. The ceiling *C* is what the best GEMM library reaches with the products of a step of the
bench model at 2,048 tokens and nothing else, on all ranks at once, measured before and after each
block; a share of C counts causal attention at half. Exposed communication is the time that FSDP2's main thread waits for
collectives, waiting for slower ranks included. Memory is the largest sum of proportional set
sizes (shared pages once) during steps that are not timed, per rank of ballast: what the whole
training takes on the host, divided by the same number.
"""


OWN = "ballast"


def own_with(keys: list[tuple[str, str]]) -> str:
    return ", ".join([OWN, *(f"{key} {value}" for key, value in keys)])


def is_own(name: str) -> bool:
    return name.startswith(OWN)


@dataclass(frozen=True)
class Line:
    """A case of the table."""

    about: dict
    found: dict

    def blocks_of(self, *names: str) -> list[dict]:
        """Those in which all of them ran."""
        return [b for b in self.found["blocks"] if all(name in b["runs"] for name in names)]

    def median(self, name: str, what: str = "tokens_per_s") -> float:
        return statistics.median(block["runs"][name][what] for block in self.blocks_of(name))

    def share_of_ceiling(self, name: str) -> float:
        flop = self.about["flop_per_token"] * 1e-9
        return statistics.median(
            block["runs"][name]["tokens_per_s"] * flop / block["ceiling"]
            for block in self.blocks_of(name)
        )

    def in_blocks(self) -> list[str]:
        return list(dict.fromkeys(name for b in self.found["blocks"] for name in b["runs"]))

    def contestants(self) -> list[str]:
        """Of a case without blocks, those whose memory was looked at."""
        return [name for name in self.in_blocks() or self.found["memory"] if not is_own(name)]

    def own(self) -> list[str]:
        """Ballast as it is, and with other keys."""
        return [name for name in self.in_blocks() or self.found["memory"] if is_own(name)]

    def rate(self, name: str) -> float:
        return self.median(name) if self.in_blocks() else self.found["grid"][name]["tokens_per_s"]

    def fastest(self, system: str) -> str | None:
        grid = self.found["grid"]
        names = [n for n in self.contestants() if grid[n]["point"]["system"] == system]
        return max(names, key=self.rate, default=None)

    def default(self) -> str | None:
        label = Point("fsdp2", self.about["ranks"]).label()
        return label if label in self.contestants() else None

    def ratio_to(self, name: str, own: str = OWN) -> Estimate:
        both = self.blocks_of(own, name)
        own_rates, rates = ([b["runs"][n]["tokens_per_s"] for b in both] for n in (own, name))
        return ratio(own_rates, rates)

    def mib_a_rank(self, name: str, what: str = "peak") -> float | None:
        measured = self.found["memory"].get(name)
        return measured[what] / self.about["ranks"] if measured else None


def read(paths: list[Path]) -> list[dict]:
    return [json.loads(path.read_text()) for path in paths]


def searched(result: dict) -> list[Line]:
    """Cases of which there is anything to tell."""
    return [Line(case["about"], case) for case in result["cases"].values() if case["grid"]]


def lines_of(result: dict) -> list[Line]:
    """Cases that were measured to the end."""
    return [Line(case["about"], case) for case in result["cases"].values() if case["blocks"]]


def markdown_table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def case_name(about: dict) -> str:
    return f"{about['model']} {about['precision']}, {about['tokens']:,} x {about['ranks']}"


def row_name(line: Line, own: str) -> str:
    return case_name(line.about) + own.removeprefix(OWN)


def speed_row(line: Line, own: str) -> list[str]:
    row = [
        row_name(line, own),
        f"{line.median(own):,.0f}",
        f"{line.share_of_ceiling(own):.2f}",
    ]
    fsdp2 = line.fastest("fsdp2")
    if fsdp2:
        exposed = line.median(fsdp2, "comm_share")
        faster = f"**{line.ratio_to(fsdp2, own).text()}**"
        row += [f"{line.median(fsdp2):,.0f}", f"{exposed:.0%}", faster]
    else:
        row += ["", "", ""]
    others = (line.default(), line.fastest("ddp"), line.fastest("deepspeed"))
    met = [name if name and line.blocks_of(own, name) else None for name in others]
    return row + [line.ratio_to(name, own).text() if name else "" for name in met]


SPEED_HEAD = [
    "model, tokens x ranks",
    "ballast, tokens/s",
    "share of C",
    "FSDP2 tuned, tokens/s",
    "its exposed communication",
    "ballast / FSDP2 tuned",
    "/ FSDP2 default",
    "/ DDP tuned",
    "/ DeepSpeed ZeRO-3",
]


def memory_row(line: Line, name_of_own: str) -> list[str]:
    row = [row_name(line, name_of_own)]
    own = line.mib_a_rank(name_of_own)
    row.append(f"{own:,.0f}" if own else "")
    for name in (line.fastest("fsdp2"), line.default(), line.fastest("ddp")):
        peer = line.mib_a_rank(name) if name else None
        row.append(f"{peer:,.0f} ({own / peer:.2f})" if own and peer else "")
    empty = line.mib_a_rank(line.fastest("fsdp2") or "", "empty")
    return row + [f"{empty:,.0f}" if empty else ""]


MEMORY_HEAD = [
    "model, tokens x ranks",
    "ballast, MiB",
    "FSDP2 tuned (ballast / it)",
    "FSDP2 default",
    "DDP tuned",
    "PyTorch without a model",
]


def table(results: list[dict]) -> str:
    compared = [line for result in results for line in lines_of(result)]
    looked_at = [line for result in results for line in searched(result) if line.found["memory"]]
    speed = markdown_table(SPEED_HEAD, [speed_row(a, own) for a in compared for own in a.own()])
    memory = markdown_table(
        MEMORY_HEAD, [memory_row(a, own) for a in looked_at for own in a.own()]
    )
    return f"{speed}\nPeak memory a rank:\n\n{memory}"


def grid_table(line: Line) -> str:
    """Every point of the search; those that went on to the blocks with the blocks' medians."""
    in_blocks, entries = line.in_blocks(), line.found["grid"]
    rows = []
    for name in sorted(entries, key=lambda name: -entries[name].get("tokens_per_s", 0.0)):
        entry = entries[name]
        if "error" in entry:
            rows.append([name, f"failed: `{entry['error'].replace('|', '/')}`", "", ""])
            continue
        blocks = f"{line.median(name):,.0f}" if name in in_blocks else ""
        comm = f"{entry['comm_share']:.0%}" if name.startswith("fsdp2") else ""
        rows.append([name, f"{entry['tokens_per_s']:,.0f}", blocks, comm])
    if "tokens_per_s" in line.found:
        blocks = f"{line.median(OWN):,.0f}" if in_blocks else ""
        rows.insert(0, ["**ballast**", f"{line.found['tokens_per_s']:,.0f}", blocks, ""])
    table_of_points = markdown_table(
        ["point", "tokens/s", "in blocks", "exposed communication"], rows
    )
    points = "1 point" if len(entries) == 1 else f"{len(entries)} points"
    return f"<details><summary>{points}</summary>\n\n{table_of_points}\n</details>\n"


def blocks_text(line: Line) -> str:
    blocks = line.found["blocks"]
    if not blocks:
        return "searched only"
    ceiling = statistics.median(block["ceiling"] for block in blocks)
    count = "1 block" if len(blocks) == 1 else f"{len(blocks)} blocks"
    return f"{count}; C {ceiling:,.0f} GFLOP/s over all ranks ({blocks[0]['library']})"


def losses_text(line: Line) -> str:
    """Ballast's, and those of the peer that it is compared with first."""
    own = line.found["losses"]
    text = ", ".join(f"{loss:.5f}" for loss in own)
    peer = line.found["blocks"] and (line.fastest("fsdp2") or line.fastest("ddp"))
    if peer:
        losses = line.blocks_of(peer)[0]["runs"][peer]["losses"][: len(own)]
        text += f"; {peer}: " + ", ".join(f"{loss:.5f}" for loss in losses)
    return text


def grid_section(line: Line) -> str:
    about, note = line.about, line.found.get("note")
    text = (
        f"{about['parameters'] / 1e6:.1f} M parameters; {blocks_text(line)}. "
        f"Losses of ballast: {losses_text(line)}."
    )
    return (
        f"### {about['model']} {about['precision']}, {about['tokens']:,} tokens a rank, "
        f"{about['ranks']} ranks\n\n{text}{' ' + note if note else ''}\n\n{grid_table(line)}"
    )


def scaling_section(found: dict) -> str:
    """Of bench/scaling: tokens a second together, alone and alone in step, by number of ranks. Its
    first blocks knew the first two."""
    rows = []
    for ranks, blocks in found["pairs"].items():
        together, alone, *in_step = (list(column) for column in zip(*blocks))
        medians = [f"{statistics.median(rates):,.0f}" for rates in (together, alone, *in_step)]
        row = [ranks, medians[0], medians[1], ratio(together, alone).text()]
        row += [medians[2], ratio(together, in_step[0]).text()] if in_step else ["", ""]
        rows.append([*row, str(len(blocks))])
    head = [
        "ranks",
        "one job, tokens/s",
        "as many jobs of one rank",
        "weak scaling",
        "those jobs in step",
        "one job / in step",
        "blocks",
    ]
    text = (
        "One job beside as many independent jobs of one rank at the same time on the same cores "
        "([bench/scaling](../bench/scaling/weak_scaling.py)); in step: what those jobs would make "
        "if all waited, in every step, for the slowest of that step, as ranks of one job must. "
        f"{found.get('note', '')}"
    )
    title = f"### Weak scaling, bench {found['precision']}, 2,048 tokens a rank"
    return f"{title}\n\n{text.strip()}\n\n{markdown_table(head, rows)}"


def order_section(found: dict) -> str:
    """Of bench/order: its rows, of any number of calls."""
    rows = []
    for line in found["rows"]:
        own, free = line["tokens_per_s"]["ballast"], line["tokens_per_s"]["ballast_arrival"]
        medians = [f"{statistics.median(rates):,.0f}" for rates in (own, free)]
        name = f"bench {line['precision']}, 2,048 x {line['ranks']}"
        rows.append([name, *medians, ratio(own, free).text(), str(len(own))])
    head = ["model, tokens x ranks", "leaf order, tokens/s", "on arrival", "ratio", "blocks"]
    text = (
        "Ballast beside a build that sums gradients in order of arrival and ends in other bits "
        f"([bench/order](../bench/order/order_cost.py)). {found.get('note', '')}"
    )
    return f"### What leaf order costs\n\n{text.strip()}\n\n{markdown_table(head, rows)}"


def section(result: dict, number: int, plotted: bool) -> str:
    machine = result["machine"]
    parts = [f"## {machine['processor']}\n", ""]
    parts += [f"- {key}: {value}" for key, value in machine.items() if key != "processor"]
    parts += ["", table([result])]
    if plotted:
        parts.append(f"![tokens per second]({plot_name(number)})\n")
    parts.append(
        "The points: *ranks x threads*; fused: `AdamW(fused=True)`; no reshard: "
        "`reshard_after_forward=False`; prefetch N: N units named to "
        "`set_modules_to_forward_prefetch` and `..._backward_prefetch`; async: "
        "`_set_unshard_async_op(True)`; thp: `THP_MEM_ALLOC_ENABLE=1`; tcmalloc: by `LD_PRELOAD`; "
        "compile: `torch.compile` of each block and the loss.\n"
    )
    parts += [grid_section(line) for line in searched(result)]
    if "scaling" in result:
        parts.append(scaling_section(result["scaling"]))
    if "order" in result:
        parts.append(order_section(result["order"]))
    return "\n".join(parts)


def plot_name(number: int) -> str:
    return "benchmarks.svg" if number == 0 else f"benchmarks-{number + 1}.svg"


def plot(result: dict, path: Path) -> bool:
    """Tokens per second against the fastest FSDP2, a group of bars a case."""
    lines = [line for line in lines_of(result) if line.fastest("fsdp2")]
    try:
        import matplotlib
    except ImportError:
        return False
    if not lines:
        return False
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "benchmarks"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 0.7 + 0.6 * len(lines)), layout="constrained")
    for at, line in enumerate(lines):
        peer = line.fastest("fsdp2")
        estimate = line.ratio_to(peer)
        spread = [[estimate.value - estimate.low], [estimate.high - estimate.value]]
        axes.barh(at, estimate.value, height=0.6, color="#35618f", xerr=spread, capsize=3)
        text = f" {line.median(OWN):,.0f} against {line.median(peer):,.0f} tokens/s"
        axes.text(estimate.high, at, text, va="center", fontsize=8)
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set_yticks(range(len(lines)), [case_name(line.about) for line in lines])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.5 * max(line.ratio_to(line.fastest("fsdp2")).high for line in lines))
    axes.set_xlabel("tokens per second, ballast / tuned FSDP2")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    return True


def write(paths: list[Path], docs: Path) -> None:
    docs.mkdir(parents=True, exist_ok=True)
    parts = [INTRODUCTION]
    for number, result in enumerate(read(paths)):
        parts.append(section(result, number, plot(result, docs / plot_name(number))))
    (docs / "benchmarks.md").write_text("\n".join(parts))
    print(f"wrote {docs / 'benchmarks.md'}")
