"""Which tests share a process where several run at once (pytest -n 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Tests of a module share what they made; those of the finished demo share it, in one group."""
    from xdist.scheduler import LoadScopeScheduling

    class ByModule(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.partition("::")[0]
            on_demo = "/end_to_end/" in module and not module.endswith("/test_faults.py")
            return "finished demo" if on_demo else module

    return ByModule(config, log)
