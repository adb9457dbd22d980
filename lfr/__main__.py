"""`python -m lfr`: the `lfr` command where no script is installed."""

from lfr.cli import main

if __name__ == "__main__":  # a process started for a measurement imports this module again
    main()
