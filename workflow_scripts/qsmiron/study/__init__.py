"""One study as the workflow lays it out: which files, settings and clinical values a job has.

Nothing is computed here and no image is opened: everything follows from the configuration, the
names of the raw files and the clinical table.
"""

from .checked_settings import inspect_refused
from .jobs import memory, minutes, option, options
from .missing_files import with_all_files
from .study import Study, load_study

__all__ = [
    "Study",
    "inspect_refused",
    "load_study",
    "memory",
    "minutes",
    "option",
    "options",
    "with_all_files",
]
