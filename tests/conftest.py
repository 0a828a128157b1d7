"""Which tests share a process where several run at once (pytest -n 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling


OF_ITS_OWN = ("faults", "visits", "changed_visits", "controls", "ready_maps", "spin_echo")
"""End-to-end tests that make a data set or a run of their own."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Tests of a module share what they made; those of the finished demo share it, in one group."""
    from xdist.scheduler import LoadScopeScheduling

    class ByModule(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.partition("::")[0]
            own = module.endswith(tuple(f"/test_{name}.py" for name in OF_ITS_OWN))
            return "finished demo" if "/end_to_end/" in module and not own else module

    return ByModule(config, log)
