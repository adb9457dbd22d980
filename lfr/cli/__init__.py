"""The `lfr` command."""


def main() -> None:
    """Run the command line."""
    from lfr.cli.app import run  # noqa: PLC0415 - `lfr --version` must not wait for heavy imports

    run()
