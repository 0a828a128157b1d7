"""Writes down which files a Python process opens: put this folder on ``PYTHONPATH``.

A file of the folder ``OPENED_FILES`` for each process: its command line, then a line for each file
that it read (``r``), wrote (``w``) or put in place (``m``).
"""

import json
import os
import sys

_folder = os.environ.get("OPENED_FILES")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def _watch():
    # Nothing but the standard library's lowest floor: this runs before every other import.
    name = f"{_folder}/{os.getpid()}-{os.urandom(4).hex()}.jsonl"
    log = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    seen = set()

    def note(kind, path):
        if isinstance(path, int) or (kind, path) in seen:
            return
        seen.add((kind, path))
        where = os.path.join(os.getcwd(), os.fsdecode(path))  # noqa: PTH109, PTH118
        os.write(log, (json.dumps([kind, where]) + "\n").encode())

    def hook(event, arguments):
        if event == "open":
            path, mode, flags = arguments
            writes = any(letter in mode for letter in "wax+") if mode else flags & _WRITING
            note("w" if writes else "r", path)
        elif event in ("os.rename", "os.link", "os.symlink"):
            note("m", arguments[1])

    os.write(log, (json.dumps(["argv", sys.orig_argv]) + "\n").encode())
    sys.addaudithook(hook)


if _folder:
    _watch()
