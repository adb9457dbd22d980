"""lfr: live facial recognition with its safeguards in the code path."""

__version__ = "0.1.0"
