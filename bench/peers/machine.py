"""What the figures were measured on."""

import datetime
import os
import re
import subprocess
from pathlib import Path

INSTRUCTION_SETS = ["avx2", "avx512f", "avx512_bf16", "avx512_fp16", "amx_bf16"]


def output_of(*command) -> str:
    try:
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def cores() -> list[list[int]]:
    """The processors of each core that this process may use."""
    allowed = os.sched_getaffinity(0)
    by_core: dict[tuple[str, str], list[int]] = {}
    for line in output_of("lscpu", "-p=cpu,core,socket").splitlines():
        if line.startswith("#"):
            continue
        cpu, core, socket = line.split(",")
        if int(cpu) in allowed:
            by_core.setdefault((socket, core), []).append(int(cpu))
    return list(by_core.values()) or [[cpu] for cpu in sorted(allowed)]


def tcmalloc() -> str | None:
    for line in output_of("/sbin/ldconfig", "-p").splitlines():
        if "libtcmalloc" in line and "debug" not in line:
            return line.split("=> ")[-1]
    return None


def describe(build: Path, python: str) -> dict[str, str]:
    info = Path("/proc/cpuinfo").read_text()
    flags = re.search(r"^flags\s*:(.*)$", info, re.M)[1].split()
    model = re.search(r"^model name\s*:\s*(.*)$", info, re.M)[1]
    memory = int(re.search(r"^MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text(), re.M)[1])
    system = re.search(r'^PRETTY_NAME="(.*)"$', Path("/etc/os-release").read_text(), re.M)
    return {
        "processor": f"{model}, {len(cores())} cores",
        "instruction sets": ", ".join(name for name in INSTRUCTION_SETS if name in flags),
        "memory": f"{memory / 2**20:.0f} GiB",
        "system": system[1] if system else "unknown",
        "ballast": " ".join(output_of(build / "ballast", "--version").split()),
        "MPI": (output_of("mpirun", "--version").splitlines() or ["unknown"])[0],
        "PyTorch": output_of(python, "-c", "import torch; print(torch.__version__)").strip(),
        "date": datetime.date.today().isoformat(),
    }
