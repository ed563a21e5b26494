"""The file of results: written after every measurement, so that a comparison can go on."""

import json
import os
from pathlib import Path

FORMAT = 1


class Results:
    def __init__(self, path: Path, machine: dict[str, str], go_on: bool):
        self.path = path
        self.data = {"format": FORMAT, "machine": machine, "cases": {}}
        if go_on and path.exists():
            found = json.loads(path.read_text())
            same = {key: value for key, value in found["machine"].items() if key != "date"}
            if same != {key: value for key, value in machine.items() if key != "date"}:
                raise SystemExit(f"{path} is from another machine or other versions: move it away")
            self.data = found

    def case(self, label: str, about: dict) -> dict:
        empty = {"about": about, "grid": {}, "blocks": [], "memory": {}}
        return self.data["cases"].setdefault(label, empty)

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(".tmp")
        beside.write_text(json.dumps(self.data, indent=1) + "\n")
        os.replace(beside, self.path)
