"""`python -m lfr`: the `lfr` command where no script is installed."""

from lfr.cli import main

main()
