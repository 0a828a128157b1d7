"""From a scanner's export to the BIDS tree that the workflow reads, for the common case.

dcm2niix converts; what it wrote is sorted by its sidecars, and whatever is not understood is
refused. Of headers and sidecars only the grid, the values and the protocol are kept.
"""

from .tree import convert

__all__ = ["convert"]
