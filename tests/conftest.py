"""Which tests share a process where several run at once (pytest -n 2 --dist loadgroup)."""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those of a module, which share what they made; and all that look at the finished demo."""
    for item in items:
        on_demo = "finished_demo" in getattr(item, "fixturenames", ())
        group = "finished demo" if on_demo else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))
