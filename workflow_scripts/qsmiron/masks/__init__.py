"""Masks on the grid of an image: the brain, and the fluid of its ventricles.

``EXTRACTORS`` find the brain in a magnitude alone, for scans without a T1w; every one has the
signature ``(magnitude, parameters) -> mask``.
"""

from ..methods import Method

EXTRACTORS: dict[str, Method] = {
    "brightness": Method(
        "masks.gre",
        "mask_from_magnitude",
        "GreMaskParameters",
        "threshold, erosion and largest piece, after Lemieux et al., Magn Reson Med "
        "1999;42:127-135",
    ),
    "deepbet": Method(
        "masks.deepbet",
        "mask_by_deepbet",
        "GreMaskParameters",
        "deepbet (Fisch et al., Comput Biol Med 2024; doi 10.48550/arXiv.2308.07003)",
    ),
}
