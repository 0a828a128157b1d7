"""Checks of the input before anything long starts: names, images, sidecars, table, cohort.

Of most images only the header is read, so that a whole cohort takes seconds. Every check returns
problems and raises none, so that they can be shown together.
"""

from .cohort import Inspection, check_inputs, inspect_inputs

__all__ = ["Inspection", "check_inputs", "inspect_inputs"]
