"""The clinical table: read, checked against known ranges and against what the config asks of it.

Importing this loads neither numpy nor pandas, since it is read while the workflow is laid out.
"""

from .table import check_clinical, clinical_values, read_clinical

__all__ = ["check_clinical", "clinical_values", "read_clinical"]
