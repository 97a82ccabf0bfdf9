"""Runs the benchmarks, all or those named: `python -m benchmarks swarm bus`. Each runs in a process of its own."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HELPERS = {"harness", "memory", "swarm_peers"}
LONG = {"soak"}  # runs only when it is named


def names() -> list[str]:
    files = sorted(Path(__file__).parent.glob("*.py"))
    return [file.stem for file in files if not file.stem.startswith("_") and is_benchmark(file)]


def is_benchmark(file: Path) -> bool:
    return file.stem not in HELPERS and "def main(" in file.read_text(encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names()))
    options = parser.parse_args()
    unknown = set(options.names) - set(names())
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(names())}")
    failed = 0
    for name in options.names or [name for name in names() if name not in LONG]:
        print(f"# {name}\n", flush=True)
        failed |= subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
