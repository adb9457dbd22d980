"""Every error this project raises on purpose.

LfrError
 +- ConfigError                 a configuration, pack or policy file says something it must not
 |   +- EvidenceTooThin         a claim that the measurement behind it cannot carry
 +- SourceError                 a camera, clip or folder cannot be opened or read
 +- ModelError                  a model file or an engine
 |   +- PackNotFound            no pack of that name
 |   +- ModelMissing            no file with the right name in any root
 |   +- ModelCorrupt            only files with a wrong hash, or a file of a wrong shape
 |   +- ProviderUnavailable     the provider asked for is not the provider the session got
 |   +- LicenceRefused          the licence does not allow this use, or was not accepted
 +- WatchlistError              an entry or an import
 +- StorageError                the database, the vault or the disk
 |   +- VaultError              a sealed object that does not open, or a key that is missing
 +- AccessError                 who is asking
 |   +- NotSignedIn
 |   +- NotAllowed
 +- AuthorityError              nobody with the right to do so has said that this may be done
 |   +- SignatureInvalid        a signed statement whose signature, key or form is not good
 |   +- MandateRefused          recognition was asked for outside what the mandate allows (A1)
 +- NotFound                    no such object
 +- Conflict                    the state does not allow this change
 |   +- GateClosed              something is still missing; all of it is named
 +- NodeUnsafe                  this node could let a face reach a disk, so it must not start
 +- RuntimeFailed               an actor that should answer does not
     +- ShotsLapsed             shots grew too old to be compared; later shots of the same people are wanted
"""

from typing import Any


class LfrError(Exception):
    """The base of the tree: one line of what went wrong, and a hint of what to do next."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors cross process borders (Ray pickles them); keyword arguments would be lost without this.
        return (_rebuild, (type(self), self.message, self.hint))

    def __str__(self) -> str:
        return self.message


def _rebuild(kind: type[LfrError], message: str, hint: str) -> LfrError:
    return kind(message, hint=hint)


class ConfigError(LfrError):
    """A configuration, pack or policy file says something it must not."""


class EvidenceTooThin(ConfigError):
    """A claim that the measurement behind it cannot carry. The message says what it would need."""


class SourceError(LfrError):
    """A camera, clip or folder cannot be opened or read."""


class ModelError(LfrError):
    """A model file or an engine cannot be used."""


class PackNotFound(ModelError):
    """No pack of that name or path."""


class ModelMissing(ModelError):
    """No file of the right name in any root."""


class ModelCorrupt(ModelError):
    """Only files with a wrong hash were found, or a model has the wrong shape."""


class ProviderUnavailable(ModelError):
    """The execution provider asked for is not the one the session really got."""


class LicenceRefused(ModelError):
    """The licence of a model does not allow this use, or was not accepted."""


class WatchlistError(LfrError):
    """A watchlist entry or an import is refused."""


class StorageError(LfrError):
    """The database, the vault or the disk failed."""


class VaultError(StorageError):
    """A sealed object does not open, or its key is missing."""


class AccessError(LfrError):
    """The person asking may not have this."""


class NotSignedIn(AccessError):
    """No valid session came with the request."""


class NotAllowed(AccessError):
    """The session's role does not allow this."""


class NotFound(LfrError):
    """There is no such object."""


class Conflict(LfrError):
    """The present state does not allow this change."""


class GateClosed(Conflict):
    """Something is still missing. missing: all of it, as (rule id, what, who can mend it)."""

    def __init__(self, message: str, *, hint: str = "", missing: tuple[tuple[str, str, str], ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.missing = missing

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild_closed, (self.message, self.hint, self.missing))


def _rebuild_closed(message: str, hint: str, missing: tuple[tuple[str, str, str], ...]) -> GateClosed:
    return GateClosed(message, hint=hint, missing=missing)


class AuthorityError(LfrError):
    """Nobody with the right to do so has said that this may be done."""


class SignatureInvalid(AuthorityError):
    """A signed statement whose signature, key or form is not good."""


class MandateRefused(AuthorityError):
    """Recognition was asked for outside what the mandate allows (A1). code: which check failed, for the log."""

    def __init__(self, message: str, *, hint: str = "", code: str = "refused") -> None:
        super().__init__(message, hint=hint)
        self.code = code

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild_refused, (self.message, self.hint, self.code))


def _rebuild_refused(message: str, hint: str, code: str) -> MandateRefused:
    return MandateRefused(message, hint=hint, code=code)


class NodeUnsafe(LfrError):
    """This node could let a face reach a disk: it must not take part (D4)."""


class RuntimeFailed(LfrError):
    """An actor that should answer does not."""


class ShotsLapsed(RuntimeFailed):
    """Shots grew too old before they were compared, and were overwritten (D4). Later shots may be tried."""
