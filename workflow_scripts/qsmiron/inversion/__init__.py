"""Dipole inversion: local field (ppm) → susceptibility (ppm, not yet referenced).

Every method has the signature
``(local_field, mask, voxel_size, b0_direction, parameters, threads, magnitude=None) -> chi``.
"""

from ..methods import Method

DEFAULT = "tv"

METHODS: dict[str, Method] = {
    "tv": Method(
        "inversion.tv",
        "total_variation",
        "TvParameters",
        "total-variation inversion by ADMM (Bilgic et al., Magn Reson Med 2015, "
        "doi 10.1002/mrm.25029)",
    ),
    "weak_harmonic": Method(
        "inversion.weak_harmonic",
        "weak_harmonic",
        "WeakHarmonicParameters",
        "weak-harmonic total variation (Milovic et al., Magn Reson Med 2019, "
        "doi 10.1002/mrm.27483)",
    ),
    "nonlinear_tv": Method(
        "inversion.nonlinear_tv",
        "nonlinear_total_variation",
        "NonlinearTvParameters",
        "nonlinear total variation by ADMM (Milovic et al., Magn Reson Med 2018, "
        "doi 10.1002/mrm.27073)",
    ),
    "medi": Method(
        "inversion.medi",
        "morphology_enabled",
        "MediParameters",
        "morphology-enabled dipole inversion (Liu et al., NeuroImage 2012, "
        "doi 10.1016/j.neuroimage.2011.08.082)",
    ),
    "single_step": Method(
        "inversion.single_step",
        "single_step",
        "SingleStepParameters",
        "single-step total-variation inversion of the total field (after Chatnuntawech et al., NMR "
        "Biomed 2017, doi 10.1002/nbm.3570)",
    ),
    "rts": Method(
        "inversion.rts",
        "rapid_two_step",
        "RtsParameters",
        "rapid two-step inversion (Kames et al., NeuroImage 2018, "
        "doi 10.1016/j.neuroimage.2017.11.018)",
    ),
    "tikhonov": Method(
        "inversion.tikhonov",
        "closed_form_l2",
        "TikhonovParameters",
        "closed-form L2 inversion (Bilgic et al., J Magn Reson Imaging 2014, "
        "doi 10.1002/jmri.24365)",
    ),
    "tkd": Method(
        "inversion.tkd",
        "thresholded_division",
        "TkdParameters",
        "thresholded k-space division (Shmueli et al., Magn Reson Med 2009, doi 10.1002/mrm.22135)",
    ),
}
