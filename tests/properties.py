"""What tests of properties share: how many examples, and what any of them may meet.

Examples are the same in every run; ``QSMIRON_FUZZ_TRIES=10000 pytest -m fuzz`` tries more.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from fuzzing import tries
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from qsmiron.errors import InputError, Problem

often = settings(
    max_examples=tries(100),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from([10**400, "rad", "arbitrary", "Siemens", 0.005, [0.005, 0.01], "P", "M"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
"""What a JSON or YAML file may hold where another thing is expected."""


def read_or_refused(read: Callable[[], Any]) -> Any:
    """What is read, or ``None`` where it is refused with problems; no other exception passes."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy on absurd affines
            return read()
    except InputError as error:
        assert error.problems
        assert all(isinstance(problem, Problem) for problem in error.problems)
        return None
