import numpy as np
import pytest

from qsmiron.relaxation.t2star import t2star_from_r2star


def test_is_the_inverse_and_zero_where_there_is_none():
    r2star = np.array([[20.0, 50.0], [0.0, -1.0], [np.nan, np.inf]], np.float32)
    found = t2star_from_r2star(r2star)
    assert found.dtype == np.float32
    assert found == pytest.approx(np.array([[0.05, 0.02], [0, 0], [0, 0]]))
