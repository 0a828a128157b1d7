"""Regions: from a χ map and labels to one row per region and metric.

Voxels are sorted by region once (:mod:`.values`); every metric is a function of one region's
sorted values. A region without a voxel to measure keeps its rows, with ``n/a`` for values.
"""
