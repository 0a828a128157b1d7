"""nibabel is loaded without pydicom, which stays importable."""

import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[1] / "workflow_scripts"

CODE = """
import sys
from qsmiron import storage_order, volumes
assert "nibabel" in sys.modules and "pydicom" not in sys.modules
import pydicom
assert pydicom.Dataset is not None
"""


def test_volumes_do_not_load_pydicom():
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env={"PYTHONPATH": str(SCRIPTS)}, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
