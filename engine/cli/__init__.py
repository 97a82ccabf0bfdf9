"""The command line. Its own packages are an extra, so that a released game need not carry them."""

import sys


def main() -> int:
    """Run the command of this process; returns its exit code."""
    try:
        import click
        import rich
    except ModuleNotFoundError as error:
        print(f'The command line needs {error.name}: pip install "tidelock[cli]"', file=sys.stderr)
        return 2
    del click, rich
    from engine.cli.commands import run_command
    from engine.cli.console import lenient, quiet

    quiet()
    lenient()
    return run_command()
