import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.ages import Ages


def test_an_empty_histogram_says_nothing():
    ages = Ages()
    assert ages.percentile_ms(0.95) is None
    assert ages.max_ms is None


@given(st.lists(st.floats(0, 4.9), min_size=1, max_size=200))
def test_percentiles_bound_the_true_ones_to_the_millisecond(values):
    ages = Ages()
    for value in values:
        ages.add(value)
    true = float(np.quantile(values, 0.95, method="inverted_cdf")) * 1000
    found = ages.percentile_ms(0.95)
    assert found is not None
    assert true - 1e-6 <= found <= true + 1.001
    assert ages.max_ms == max(values) * 1000


@given(st.lists(st.lists(st.floats(0, 10), max_size=30), max_size=4))
def test_merging_is_the_same_as_counting_together(parts):
    together = Ages()
    dumps = []
    for part in parts:
        own = Ages()
        for value in part:
            own.add(value)
            together.add(value)
        dumps.append(own.dump())
    assert Ages.merged(dumps).dump() == together.dump()
