"""`lfr document`: registered by the hash of the file, listed, withdrawn."""

import hashlib

import pytest

from lfr.cli.app import run


@pytest.fixture
def lfr(tmp_path, capsys):
    config = tmp_path / "van.yaml"
    config.write_text("name: van\nmode: research\npack: embedded\nforce: mercia\npolicy: uk-default\ndata_dir: data\n")

    def use(*arguments):
        with pytest.raises(SystemExit) as left:
            run(["document", *map(str, arguments), "--config", str(config)])
        shown = capsys.readouterr()
        return left.value.code, shown.out, shown.err

    return use


@pytest.mark.rule("A8")
def test_a_document_from_registering_to_withdrawing(lfr, tmp_path):
    path = tmp_path / "dpia.pdf"
    path.write_bytes(b"the assessment")
    given = ("dpia", path, "--version", "3", "--approved-by", "the board", "--covers-public")
    code, out, err = lfr("add", *given, "--approved-on", "2026-01-15", "--url", "https://mercia.example/dpia")
    assert code == 0
    assert "valid until 2027-01-15" in err
    made = out.strip()
    code, out, _ = lfr("list")
    assert made in out
    assert hashlib.sha256(b"the assessment").hexdigest()[:16] in out
    assert lfr("list", "--current")[1].strip() == made
    assert lfr("add", *given)[0] == 1
    assert lfr("withdraw", made)[0] == 0
    assert lfr("list", "--current")[1] == ""
    assert "withdrawn" in lfr("list")[1]
    assert lfr("withdraw", made)[0] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("press-release", "{file}", "--version", "1", "--approved-by", "x"),
        ("dpia", "{file}.no", "--version", "1", "--approved-by", "x"),
        ("dpia", "{file}", "--version", "1", "--approved-by", "x", "--approved-on", "15/01/2026"),
        ("dpia", "{file}", "--version", "1", "--approved-by", "x", "--approved-on", "2999-01-01"),
        ("dpia", "{file}", "--version", "1", "--approved-by", "x", "--expires-on", "2020-01-01"),
        ("dpia", "{file}", "--version", "", "--approved-by", "x"),
    ],
)
def test_what_is_refused_leaves_nothing(lfr, tmp_path, arguments):
    (tmp_path / "file").write_bytes(b"x")
    code, out, err = lfr("add", *(one.format(file=tmp_path / "file") for one in arguments))
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    assert "Traceback" not in err
    assert len(lfr("list")[1].splitlines()) <= 1
