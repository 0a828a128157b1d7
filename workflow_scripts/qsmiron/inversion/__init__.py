"""Dipole inversion: local field (ppm) → susceptibility (ppm, not yet referenced).

Every method has the signature
``(local_field, mask, voxel_size, b0_direction, parameters, threads, magnitude=None) -> chi``.
"""

from ..methods import Method

METHODS: dict[str, Method] = {
    "rts": Method(
        "inversion.rts",
        "rapid_two_step",
        "RtsParameters",
        "rapid two-step inversion (Kames et al., NeuroImage 2018, "
        "doi 10.1016/j.neuroimage.2017.11.018)",
    ),
    "tv": Method(
        "inversion.tv",
        "total_variation",
        "TvParameters",
        "total-variation inversion by ADMM (Bilgic et al., Magn Reson Med 2015, "
        "doi 10.1002/mrm.25029)",
    ),
    "tkd": Method(
        "inversion.tkd",
        "thresholded_division",
        "TkdParameters",
        "thresholded k-space division (Shmueli et al., Magn Reson Med 2009, doi 10.1002/mrm.22135)",
    ),
}
