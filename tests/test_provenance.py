"""The closure of a script's imports, on a package made for the purpose and on the real one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from qsmiron import provenance
from qsmiron.provenance import code_digest, script_sources

SCRIPTS = Path(__file__).resolve().parents[1] / "workflow_scripts"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    files = {
        "run.py": "from qsmiron.a import f\nimport json\n",
        "qsmiron/__init__.py": "",
        "qsmiron/a.py": "from .room import g\ndef f():\n    from .late import h\n",
        "qsmiron/late.py": "",
        "qsmiron/unused.py": "",
        "qsmiron/room/__init__.py": "from .inner import g\n",
        "qsmiron/room/inner.py": "from ..base import x\nfrom . import sibling\n",
        "qsmiron/room/sibling.py": "",
        "qsmiron/room/chosen.py": "import qsmiron.by_name\n",
        "qsmiron/base.py": "",
        "qsmiron/by_name.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def names(package: Path, *extra: str) -> list[str]:
    return [str(path.relative_to(package)) for path in script_sources(package / "run.py", extra)]


def test_follows_direct_relative_and_late_imports(package: Path) -> None:
    assert names(package) == [
        "run.py",
        "qsmiron/__init__.py",
        "qsmiron/a.py",
        "qsmiron/base.py",
        "qsmiron/late.py",
        "qsmiron/room/__init__.py",
        "qsmiron/room/inner.py",
        "qsmiron/room/sibling.py",
    ]


def test_a_module_loaded_by_name_brings_its_own_imports(package: Path) -> None:
    added = set(names(package, "qsmiron.room.chosen")) - set(names(package))
    assert added == {"qsmiron/room/chosen.py", "qsmiron/by_name.py"}


def test_the_digest_changes_with_the_code_that_runs_and_no_other(package: Path) -> None:
    def digest() -> str:
        provenance._content.cache_clear()
        provenance._imports.cache_clear()
        code_digest.cache_clear()
        return code_digest(package / "run.py")

    before = digest()
    (package / "qsmiron/unused.py").write_text("x = 1\n")
    (package / "qsmiron/base.py").touch()
    assert digest() == before
    (package / "qsmiron/base.py").write_text("x = 2\n")
    assert digest() != before


@pytest.mark.parametrize("name", ["invert_dipole", "test_groups", "write_report"])
def test_holds_whatever_a_real_script_imports(name: str) -> None:
    script = SCRIPTS / f"{name}.py"
    code = (
        "import sys, runpy; sys.path.insert(0, sys.argv[1]);"
        "runpy.run_path(sys.argv[2], run_name='imported');"
        "print(*(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'qsmiron'),"
        "sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(SCRIPTS), str(script)],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {Path(line) for line in done.stdout.split()}
    assert loaded <= set(script_sources(script))


@pytest.mark.parametrize(
    ("module", "used", "unused"),
    [
        ("statistics/partial_spearman", {"correlate_scores", "vary_choices"}, {"draw_forest"}),
        ("figures/forest", {"draw_forest"}, {"draw_effects", "correlate_scores"}),
        ("registration/deformable", {"register_subject"}, {"map_field", "measure_regions"}),
        ("regions/deposits", {"count_deposits", "pool_thresholds"}, {"map_field", "mask_brain"}),
        ("phase/romeo", set(), {"invert_dipole", "register_subject", "test_groups"}),
    ],
)
def test_an_edited_module_repeats_the_rules_that_use_it(
    module: str, used: set[str], unused: set[str]
) -> None:
    folder = Path(__file__).resolve().parents[1] / "workflow_scripts"
    edited = folder / "qsmiron" / f"{module}.py"
    assert edited.is_file()
    repeated = {script.stem for script in folder.glob("*.py") if edited in script_sources(script)}
    assert used <= repeated
    assert not unused & repeated


def test_an_edited_method_repeats_the_jobs_of_that_method() -> None:
    inversion = SCRIPTS / "qsmiron/inversion"
    sources = script_sources(SCRIPTS / "invert_dipole.py", ("qsmiron.inversion.tv",))
    assert inversion / "tv.py" in sources
    assert inversion / "rts.py" not in sources
