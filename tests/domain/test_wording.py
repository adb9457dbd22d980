"""Written reasons as figures (A2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.wording import different_words, likeness, words

TEXT = "People wanted on warrant meet here before the market opens, as reports of three named officers show."


def test_words_are_counted_once_whatever_their_case():
    assert words("The the THE café, cafe\u0301 a 12 3rd") == ("the", "the", "the", "café", "café", "rd")
    assert different_words("The the THE") == 1
    assert different_words("... 123 a b c") == 0


@pytest.mark.rule("A2")
def test_copied_text_is_recognised_though_the_place_was_exchanged():
    assert likeness(TEXT, TEXT) == 1
    assert likeness(TEXT, TEXT.replace("market", "stadium")) > 0.75
    assert likeness(TEXT, f"New words first. {TEXT} And some more of them at the end.") == 1
    assert likeness(TEXT, "Two men on bail must not come near the school where the witness teaches.") == 0


@given(st.text(), st.text())
def test_any_two_texts_have_a_share(one, other):
    share = likeness(one, other)
    assert 0 <= share <= 1
    assert share == likeness(other, one)
    assert likeness(one, one) == (1 if words(one) else 0)
