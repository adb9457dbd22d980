"""A whole evaluation of a set that exists in memory: figures, JSON, pages, and what no label may change."""

import csv
import io
import json
import re

import msgspec
import numpy as np
import pytest

from lfr.evaluation.baseline_set import BaselineSet
from lfr.evaluation.embed_set import Embedded
from lfr.evaluation.groups import Groups
from lfr.evaluation.openset import Material
from lfr.evaluation.report.build import build
from lfr.evaluation.report.html import html
from lfr.evaluation.report.page import Page, Table
from lfr.evaluation.report.write import write_report
from lfr.evaluation.set_json import as_json
from lfr.evaluation.set_run import Plan, evaluate_set
from lfr.evaluation.variants import fused_stills, two_pictures
from lfr.evaluation.verification import Pairs
from lfr.vision.engine.double import double_pack
from tests.support.faces import made_up

COUNTS = [3, 2, 1, 4, 1] * 30


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("lfr.evaluation.suspects.same_files", lambda _: [])
    monkeypatch.setattr("lfr.evaluation.clusters.TIMES", 100)
    for module in ("group_rates", "equity"):
        monkeypatch.setattr(f"lfr.evaluation.{module}.TIMES", 250)


@pytest.fixture(scope="module")
def made():
    people, templates = made_up(COUNTS, noise=1.3, dim=64, seed=2)
    seen = np.ones(len(templates), bool)
    seen[[0, 5]] = False
    templates[~seen] = 0
    templates[12] = templates[40]  # one person's picture in another's folder
    embedded = Embedded(templates, seen, (5,), (0,), 3, 2, 1, 4.0)
    labels = {
        "sex_label": tuple("fm"[n % 2] for n in range(150)),
        "age_label": tuple("young" if n < 148 else "old" for n in range(150)),
    }
    return people, embedded, Groups(labels, 2)


def evaluated(made, *, groups=None, pairs=False, baseline=False, seed=1):
    people, embedded, _ = made
    told = []
    rng = np.random.default_rng(0)
    same = rng.random(80) < 0.5
    firsts = np.array([people.rows[n][0] for n in range(0, 150, 5)])
    first = rng.choice(firsts, 80)
    other = np.where(same, first + 1, (first + 20) % len(people.owner))
    theirs = BaselineSet("a loop", embedded.templates * 0.5, embedded.seen, 9.0) if baseline else None
    found = evaluate_set(
        [], double_pack(), people, embedded, Plan(30, seed),
        pairs=Pairs(first, other, same) if pairs else None, groups=groups, baseline=theirs,
        progress=lambda *said: told.append(said),
    )  # fmt: skip
    assert told[-1] == ("measure", 7, 7)
    return found


@pytest.fixture(scope="module")
def whole(made):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lfr.evaluation.suspects.same_files", lambda _: [])
        return evaluated(made, groups=made[2], pairs=True, baseline=True)


def test_every_figure_of_the_line_is_there(whole):
    said = json.loads(json.dumps(as_json(whole), allow_nan=False))
    assert (said["images"], said["identities"], said["watchlist_size"], said["draws"]) == (330, 150, 30, 20)
    assert said["fte"] == pytest.approx(2 / 330, abs=1e-6)
    for target in ("0.01", "0.001"):
        point = said["tpir_at_fpir"][target]
        assert {"tpir", "low", "high", "threshold", "nonmated", "errors", "supported"} <= set(point)
        assert point["low"] <= point["tpir"] <= point["high"]
        assert point["errors"] <= float(target) * point["nonmated"]
    assert not said["tpir_at_fpir"]["0.001"]["supported"]
    assert "needs about 2,995 unlisted people" in said["tpir_at_fpir"]["0.001"]["evidence"]
    group = said["by_group"]["sex_label"]["f"]
    assert {"probes", "tpir", "fpir", "low", "high"} <= set(group)
    assert said["problems"] == {
        "unreadable": 1, "no_face": 1, "several_faces": 3, "too_small_to_enrol": 2, "too_blurred_to_enrol": 1,
        "one_picture_identities": 60, "empty_folders": 0, "other_files": 0,
    }  # fmt: skip
    assert said["suspects"]["like somebody else"] == 1
    assert said["baseline"]["gain"]["0.01"]["difference"] < 1
    assert 0.5 < said["accuracy_1to1"] <= 1


@pytest.mark.rule("J3")
def test_no_rate_goes_without_numerator_denominator_and_interval(whole):
    said = as_json(whole)
    for point in (*said["tpir_at_fpir"].values(), *said["two_images"]["tpir_at_fpir"].values()):
        assert point["tpir"] == pytest.approx(point["found"] / point["mated"], abs=1e-6)
        assert point["fpir"] == pytest.approx(point["errors"] / point["nonmated"], abs=1e-6)
        assert point["fpir_low"] <= point["fpir"] <= point["fpir_high"]
    assert set(said["fte_evidence"]) == {"events", "of", "low", "high"}


def test_nobody_is_named_in_the_line(whole):
    text = json.dumps(as_json(whole))
    assert not re.search(r"p\d{4}", text)


def test_without_pairs_groups_and_baseline_there_is_nothing_of_them(made):
    said = as_json(evaluated(made))
    assert (said["accuracy_1to1"], said["baseline"], said["by_group"], said["made_transits"]) == (None, None, {}, None)


@pytest.mark.rule("I5")
def test_shuffled_labels_change_nothing_but_the_groups(made):
    labels = made[2].labels
    order = np.random.default_rng(1).permutation(150)
    shuffled = Groups({name: tuple(values[n] for n in order) for name, values in labels.items()})
    one, other = (as_json(evaluated(made, groups=groups)) for groups in (made[2], shuffled))
    assert one["by_group"] != other["by_group"]
    for name in ("by_group", "by_intersection", "differential", "missing_characteristics", "seconds"):
        one.pop(name), other.pop(name)
    assert one == other
    plain = as_json(evaluated(made))
    assert plain["tpir_at_fpir"] == one["tpir_at_fpir"]


def test_the_same_seed_gives_the_same_figures(made):
    one, other = (as_json(evaluated(made, groups=made[2])) for _ in range(2))
    assert {**one, "seconds": 0} == {**other, "seconds": 0}
    assert as_json(evaluated(made, seed=2))["rank1"] != one["rank1"]


def test_two_pictures_and_fused_pictures_find_more():
    people, templates = made_up(COUNTS, noise=1.3, dim=64, seed=2)
    material = Material(people, templates, np.ones(len(templates), bool), "cosine")
    for better_use in (two_pictures, fused_stills):
        variant = better_use(material, most=30, seed=1, draws=20)
        at_one_in_a_hundred = variant.gains[0]
        assert 0 < at_one_in_a_hundred.low <= at_one_in_a_hundred.difference
        assert variant.plain.points[0].mated >= variant.better.points[0].mated


def test_a_gain_that_one_wrong_name_decides_is_not_claimed(whole):
    # At 1 in 1,000 the one mislabelled picture sets the threshold: whatever the difference, it may as well be none.
    least_alerts = whole.two_pictures.gains[1]
    assert least_alerts.low < 0 < least_alerts.high


def pages(found):
    return {page.title: page for page in build(found, "a set").pages}


def said_by(page):
    words = [page.shows, page.cannot]
    for block in page.blocks:
        words += [cell for row in block.rows for cell in row] if isinstance(block, Table) else [block.words]
    return "\n".join(words)


def test_every_page_says_what_it_cannot_show(whole):
    found = pages(whole)
    assert len(found) == 12
    assert all(page.shows and page.cannot for page in found.values())
    with pytest.raises(ValueError, match="cannot show"):
        Page("title", "shows", " ")


@pytest.mark.rule("I2")
def test_the_pages_show_each_group_s_state_and_cannot_leave_it_out(whole):
    for column in ("sex_label", "age_label", "sex_label & age_label"):
        page = pages(whole)[f"Groups: {column}"]
        for finding in (f for f in whole.findings if f.column == column):
            rows = [
                row
                for block in page.blocks
                if isinstance(block, Table)
                for row in block.rows
                if row[0] == finding.group
            ]
            assert any(finding.state.value in row[-1] for row in rows)
    old = [f for f in whole.findings if f.group == "old"]
    assert {f.state.value for f in old} == {"insufficient evidence"}
    assert "insufficient evidence" in said_by(pages(whole)["Groups: age_label"])


@pytest.mark.rule("I1")
def test_missing_groups_stand_on_the_pages(whole, made):
    text = said_by(pages(whole)["Groups of people: what was and was not tested"])
    assert "Nothing can be said about ethnicity." in text
    assert "no column in the CSV" in text
    alone = said_by(pages(evaluated(made))["Groups of people: not tested"])
    assert "no finding of equality" in alone


def test_suspects_and_faceless_pictures_are_named_on_the_set_s_page(whole):
    text = said_by(pages(whole)["The set, and what is odd in it"])
    assert "p0000/1.png" in text
    assert "p0005/" in text or "like somebody else" in text


def test_the_files_are_whole_and_escape_what_comes_from_the_set(whole, made, tmp_path):
    figures = as_json(whole)
    written = write_report(whole, figures, "<b>set</b>", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in written)
    text = (tmp_path / "report.html").read_text()
    assert "<b>set</b>" not in text
    assert "&lt;b&gt;set" in text
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)  # it needs nothing from anywhere
    assert "<script" not in text
    assert text.count("<svg") >= 8
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    assert json.loads((tmp_path / "report.json").read_text()) == json.loads(json.dumps(figures))
    rows = list(csv.reader(io.StringIO((tmp_path / "suspects.csv").read_text())))
    kinds = [row[0] for row in rows]
    assert kinds.count("one picture") == 60
    assert ("no face", "p0000/1.png") in {tuple(row[:2]) for row in rows}


def test_drawings_are_the_same_for_the_same_evaluation(whole):
    assert html(build(whole, "a set")) == html(build(whole, "a set"))


def test_the_report_of_a_research_pack_says_so(whole):
    assert "research" in said_by(pages(whole)["What this test found"])
    assert msgspec.to_builtins(double_pack())["use"] == "research"
