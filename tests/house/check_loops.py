"""Holds the house against loops: check_loops.py ROOT.

A room is a header and the source beside it of the same name. No room of src/ may include itself by
way of others, and no folder, sub-folders counted apart, may use itself by way of others: what can
be read from the bottom up can be understood, tested and moved so. Each name is one room's, so that
a search finds the right file.
"""

import sys
from collections import defaultdict
from pathlib import Path

from check_arrows import INCLUDE
from sources import code_lines, cpp_files, report


def includes(root):
    """For each room of src/, "folder/name", the rooms it includes."""
    source = root / "src"
    rooms = defaultdict(set)
    for path in cpp_files(source):
        room = path.relative_to(source).with_suffix("").as_posix()
        rooms[room]
        for _, line in code_lines(path, literals=True):
            found = INCLUDE.match(line)
            if found and found[1] == '"':
                used = Path(found[2]).with_suffix("").as_posix()
                if used != room:
                    rooms[room].add(used)
    return rooms


def folders_of(rooms):
    """The same between folders."""
    folders = defaultdict(set)
    for room, used in rooms.items():
        folder = room.rpartition("/")[0]
        folders[folder] |= {name.rpartition("/")[0] for name in used} - {folder}
    return folders


def find_loop(graph):
    """A loop as a list of its members, the first again at the end; empty if there is none."""
    done = set()
    for start in sorted(graph):
        path, ahead = [start], [iter(sorted(graph[start]))]
        while path:
            following = next(ahead[-1], None)
            if following is None:
                done.add(path.pop())
                ahead.pop()
            elif following in path:
                return path[path.index(following):] + [following]
            elif following in graph and following not in done:
                path.append(following)
                ahead.append(iter(sorted(graph[following])))
    return []


def violations(root):
    rooms = includes(root)
    found = []
    for graph in (rooms, folders_of(rooms)):
        if loop := find_loop(graph):
            found.append("a loop: " + " -> ".join(loop))
    places = defaultdict(list)
    for room in sorted(rooms):
        places[room.rpartition("/")[2]].append(room)
    found += [f"one name, several rooms: {', '.join(same)}" for same in places.values() if same[1:]]
    return found


if __name__ == "__main__":
    report(violations(Path(sys.argv[1])), "loops of includes, names of rooms")
