"""Signed statements: no bit of one can be changed, and none can be passed off as another."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.authority import Authorisation, Refusal, Restart
from lfr.domain.canonical import canonical
from lfr.domain.errors import SignatureInvalid
from lfr.domain.signing import PREFIX, TEXT_MOST, Signed, instant, open_signed, public_key_of, sign, text_of
from tests.support.office import DEPLOYMENT, STARTS, Office

KEY = Ed25519PrivateKey.generate()
SAID = Restart(DEPLOYMENT, "olga", STARTS, UUID(int=3), "The fault was mended; déjà vu, £5 again.")
SIGNED = sign(SAID, KEY)


@pytest.mark.rule("A1")
class TestChanged:
    @given(bit=st.integers(0, len(SIGNED.text.encode()) * 8 - 1))
    def test_any_changed_bit_of_the_text_is_refused(self, bit: int) -> None:
        raw = bytearray(SIGNED.text.encode())
        raw[bit // 8] ^= 1 << bit % 8
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            return  # such a text cannot even be carried
        with pytest.raises(SignatureInvalid):
            open_signed(msgspec.structs.replace(SIGNED, text=text), Restart)

    @given(bit=st.integers(0, 64 * 8 - 1))
    def test_any_changed_bit_of_the_signature_is_refused(self, bit: int) -> None:
        raw = bytearray(base64.b64decode(SIGNED.signature))
        raw[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SignatureInvalid):
            open_signed(msgspec.structs.replace(SIGNED, signature=base64.b64encode(raw).decode()), Restart)

    @given(bit=st.integers(0, 32 * 8 - 1))
    def test_any_changed_bit_of_the_key_is_refused(self, bit: int) -> None:
        raw = bytearray.fromhex(SIGNED.key)
        raw[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SignatureInvalid):
            open_signed(msgspec.structs.replace(SIGNED, key=raw.hex()), Restart)

    @given(data=st.binary(max_size=200))
    def test_what_is_no_signed_statement_is_refused_as_that(self, data: bytes) -> None:
        with pytest.raises(SignatureInvalid):
            Signed.decode(data)

    @given(text=st.text(max_size=50), key=st.text(max_size=70), signature=st.text(max_size=90))
    def test_nonsense_in_its_fields_is_refused_as_that(self, text: str, key: str, signature: str) -> None:
        with pytest.raises(SignatureInvalid):
            open_signed(Signed(text, key, signature), Restart)


def test_it_opens_as_it_was_said() -> None:
    assert open_signed(Signed.decode(SIGNED.encode()), Restart, key=public_key_of(KEY)) == SAID


def test_anothers_key_is_refused_where_the_signer_is_known() -> None:
    other = sign(SAID, Ed25519PrivateKey.generate())
    with pytest.raises(SignatureInvalid, match="another key"):
        open_signed(other, Restart, key=public_key_of(KEY))


def test_one_kind_is_never_another() -> None:
    with pytest.raises(SignatureInvalid, match=r"no lfr.refusal/1"):
        open_signed(SIGNED, Refusal)


def test_a_signature_over_the_bare_text_is_not_one_over_a_statement() -> None:
    bare = base64.b64encode(KEY.sign(SIGNED.text.encode())).decode()
    with pytest.raises(SignatureInvalid):
        open_signed(msgspec.structs.replace(SIGNED, signature=bare), Restart)


def signed_text(text: str) -> Signed:
    """What a careless or malicious signer could sign."""
    signature = base64.b64encode(KEY.sign(PREFIX + text.encode())).decode()
    return Signed(text, public_key_of(KEY), signature)


@pytest.mark.parametrize(
    "text",
    [
        SIGNED.text.replace('":"', '": "'),  # spaces
        SIGNED.text.replace("{", '{"extra":1,', 1),  # an unknown field
        SIGNED.text[:-1] + ',"officer":"petra"}',  # a field twice
        SIGNED.text.replace("10:00:00Z", "10:00:00.000Z"),  # the same moment in other words
        SIGNED.text.replace("10:00:00Z", "11:00:00+01:00"),
        SIGNED.text.replace("10:00:00Z", "10:00:00"),  # a moment of no zone
        "[" * 50_000,
        "[]",
        "",
    ],
)
def test_only_the_canonical_form_counts(text: str) -> None:
    assert text != SIGNED.text
    with pytest.raises(SignatureInvalid):
        open_signed(signed_text(text), Restart)


def test_a_key_is_written_in_one_way() -> None:
    with pytest.raises(SignatureInvalid):
        open_signed(msgspec.structs.replace(SIGNED, key=SIGNED.key.upper()), Restart)


def test_a_text_beyond_the_limit_is_not_even_verified() -> None:
    with pytest.raises(SignatureInvalid, match="too long"):
        open_signed(signed_text(" " * (TEXT_MOST + 1)), Restart)


def test_the_key_shows_itself_nowhere() -> None:
    assert "PRIVATE" not in repr(SIGNED)
    assert text_of(SAID) == SIGNED.text


@given(
    officer=st.from_regex(r"[a-z0-9][a-z0-9._-]{0,31}", fullmatch=True),
    cameras=st.dictionaries(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,9}", fullmatch=True), st.just("0" * 64), max_size=5),
    at=st.integers(1_600_000_000, 3_700_000_000).map(lambda s: datetime.fromtimestamp(s, UTC)),
)
def test_the_canonical_form_is_stable(officer: str, cameras: dict[str, str], at: datetime) -> None:
    said = Office().authority(officer, cameras=cameras, at=instant(at))
    text = text_of(said)
    again = msgspec.json.decode(text, type=Authorisation)
    assert again == said
    assert text_of(again) == text
    shuffled = dict(sorted(cameras.items(), reverse=True))
    assert text_of(msgspec.structs.replace(said, cameras=shuffled)) == text
    assert canonical(msgspec.json.decode(text)).decode() == text


def test_an_instant_is_utc_in_whole_seconds() -> None:
    assert instant(STARTS + timedelta(microseconds=999_999)) == STARTS
    with pytest.raises(ValueError, match="UTC"):
        instant(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="UTC"):
        instant(STARTS.astimezone(timezone(timedelta(hours=1))))
