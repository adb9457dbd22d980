"""One structlog configuration for the driver, every Ray worker and the API: JSON lines on stderr.

No faces, no templates, no names: events carry ids (camera, transit, alert, entry) and counts. Tracebacks are written
without frame locals, since a local can be a face.
"""

import logging
import sys
from typing import Any, TextIO

import structlog

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(level: str = "INFO", **bound: object) -> None:
    """Set up logging in this process; `bound` (camera="north", say) goes with every line."""
    number = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(sort_keys=True, default=str),
        ],
    )
    handler = _Stderr()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for noisy in ("httpx", "httpcore", "aiosqlite", "alembic", "asyncio", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(max(number, logging.WARNING))
    structlog.contextvars.bind_contextvars(**bound)


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to whatever stderr is when a line is written, as print does: it may have been replaced since."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, value: TextIO) -> None:
        """Given by the base class; stderr is looked up instead."""


def get(name: str) -> Any:
    """A logger for one module."""
    return structlog.get_logger(name)
