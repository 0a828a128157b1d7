"""Pictures: one figure a module, one palette, one set of units and words.

Files hold ppm; figures show ppb. Every function returns a finished ``matplotlib`` figure, and
:func:`qsmiron.figures.style.save_figure` writes it as PNG and SVG with its title and caption
inside the file, from where the report reads them.
"""
