"""nibabel, loaded without pydicom.

Where pydicom is installed nibabel loads it, for header extensions that nobody here reads: half a
second of CPU time at the start of every job. Modules take ``nib`` from here.
"""

from __future__ import annotations

import sys

_LOADED = "pydicom" in sys.modules
if not _LOADED:
    sys.modules["pydicom"] = None  # type: ignore[assignment]  # an import of it fails
try:
    import nibabel as nib
finally:
    if not _LOADED:
        del sys.modules["pydicom"]

__all__ = ["nib"]
