"""From the template to the grid of the GRE: one map, one interpolation.

The map is made once per scan (:mod:`.template_to_t1w`, :mod:`.within_subject`) and stored as the
template coordinate of every GRE voxel (:mod:`.coordinates`); labels and masks are looked up in it.
"""
