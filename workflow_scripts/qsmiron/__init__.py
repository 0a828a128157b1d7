"""From multi-echo gradient-echo phase to regional brain iron and its group statistics.

The library behind the workflow's scripts. It knows nothing of Snakemake and parses no command
lines. A room (module or subpackage) holds one concept, and later stages may import earlier ones,
never the reverse. Units at every boundary: ppm (fields, susceptibility), rad (phase), s, T, mm,
1/s.
"""

__version__ = "0.1.0"
