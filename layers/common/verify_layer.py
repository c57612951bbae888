"""
`python verify_layer.py arm64|x86_64 FOLDER`: fail unless all native files are for that processor.

Lambda would find out only when a function imports one.
"""

from __future__ import annotations

import sys
from pathlib import Path

# ELF header: bytes 18 and 19, e_machine; little-endian on both.
MACHINES = {"x86_64": 62, "arm64": 183}


def main(machine: str, folder: Path) -> None:
    native = sorted(folder.rglob("*.so*"))
    if not native:
        sys.exit(f"{folder} has no native files, but some packages bring them: nothing is proven")
    wrong = [str(path.relative_to(folder)) for path in native if not is_for(machine, path)]
    if wrong:
        sys.exit(f"not built for {machine}: {', '.join(wrong)}")


def is_for(machine: str, path: Path) -> bool:
    """Return whether *path* is an ELF file for Lambda's *machine*."""
    with path.open("rb") as file:
        header = file.read(20)
    return header[:4] == b"\x7fELF" and int.from_bytes(header[18:20], "little") == MACHINES[machine]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
