"""Background field removal: total field (ppm) → local field (ppm) and where it holds.

Every method has the signature
``(field, mask, voxel_size, b0_direction, parameters, threads) -> (local_field, local_mask)``.
"""

from ..methods import Method

METHODS: dict[str, Method] = {
    "vsharp": Method(
        "background.vsharp",
        "vsharp",
        "VsharpParameters",
        "V-SHARP (Li et al., NeuroImage 2011, doi 10.1016/j.neuroimage.2010.11.088)",
    ),
}
