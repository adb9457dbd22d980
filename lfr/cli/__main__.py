"""`python -m lfr.cli` is the `lfr` command."""

from lfr.cli import main

main()
