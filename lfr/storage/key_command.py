"""A node key that never enters this process: a program of the force wraps and unwraps (PKCS#11, a key service, a TPM).

The program is called as `PROGRAM [ARGUMENTS] wrap|unwrap CONTEXT`, CONTEXT in hex, and is given on stdin what it is to
wrap (32 bytes) or unwrap; it answers on stdout and leaves with 0. It must bind CONTEXT to what it wraps and refuse any
other. It is called once for each start and each shredding, not for each key. The shipped double, which holds an
ordinary key file, is this module itself: `exec:python -m lfr.storage.key_command FILE`.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from lfr.domain.errors import VaultError

ANSWER_S = 20.0
ANSWER_MOST = 4096


class CommandWrapper:
    """A `KeyWrapper` that asks a program. line: as a shell would split it; no shell is started."""

    def __init__(self, line: str) -> None:
        try:
            self._command = shlex.split(line)
        except ValueError:
            self._command = []
        if not self._command:
            raise VaultError("storage.node_key names no program", hint="exec:/path/to/program [arguments]")

    def __repr__(self) -> str:
        return f"CommandWrapper({Path(self._command[0]).name})"

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """As `KeyWrapper.wrap`."""
        wrapped = self._ask("wrap", key, context)
        if key in wrapped:
            raise self._failed("gave the key back as it was", "it must encrypt what it wraps")
        return wrapped

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """As `KeyWrapper.unwrap`."""
        return self._ask("unwrap", wrapped, context)

    def _ask(self, what: Literal["wrap", "unwrap"], data: bytes, context: bytes) -> bytes:
        command = [*self._command, what, context.hex()]
        try:
            done = subprocess.run(
                command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=ANSWER_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise self._failed(
                f"did not answer in {ANSWER_S:.0f} seconds", "is the module or key service there?"
            ) from None
        except OSError as error:
            raise self._failed(f"cannot be started: {error.strerror}", "check storage.node_key") from None
        if done.returncode != 0:
            # Its own words are not repeated: they could hold what must not be shown.
            raise self._failed(f"refused to {what} (exit code {done.returncode})", "see the program's own log")
        if not 0 < len(done.stdout) <= ANSWER_MOST:
            raise self._failed(f"answered with {len(done.stdout)} bytes", f"1 to {ANSWER_MOST} are expected")
        return done.stdout

    def _failed(self, what: str, hint: str) -> VaultError:
        return VaultError(f"the node key's program {Path(self._command[0]).name} {what}", hint=hint)


def main(arguments: Sequence[str]) -> int:
    """The double: FILE wrap|unwrap CONTEXT. Returns the exit code."""
    from lfr.storage.node_key import open_node_key  # noqa: PLC0415 - it imports this module

    file, what, context = arguments
    wrapper = open_node_key(Path(file), create=what == "wrap")
    work = wrapper.wrap if what == "wrap" else wrapper.unwrap
    try:
        sys.stdout.buffer.write(work(sys.stdin.buffer.read(ANSWER_MOST), bytes.fromhex(context)))
    except VaultError:
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
