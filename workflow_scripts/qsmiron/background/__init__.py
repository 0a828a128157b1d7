"""Background field removal: total field (ppm) → local field (ppm) and where it holds.

Every method has the signature
``(field, mask, voxel_size, b0_direction, parameters, threads) -> (local_field, local_mask)``.
"""

from ..methods import Method

DEFAULT = "joint_tv_tissue"

METHODS: dict[str, Method] = {
    "joint_tv_tissue": Method(
        "background.joint_tv",
        "joint_tv_tissue",
        "JointTvTissueParameters",
        "joint total-variation estimate of susceptibility and harmonic background (after Milovic "
        "et al., Magn Reson Med 2019, doi 10.1002/mrm.27483), its background refined as that of "
        "sources farther than 3 mm from the brain beside a Gaussian texture of susceptibility, the "
        "smooth part of susceptibility "
        "settled by tissue classes (after Wells et al., IEEE Trans Med Imaging 1996, "
        "doi 10.1109/42.511747)",
    ),
    "joint_tv": Method(
        "background.joint_tv",
        "joint_tv",
        "JointTvParameters",
        "joint total-variation estimate of susceptibility and harmonic background (after Milovic "
        "et al., Magn Reson Med 2019, doi 10.1002/mrm.27483), its background refined as that of "
        "sources farther than 3 mm from the brain beside a Gaussian texture of susceptibility",
    ),
    "vsharp": Method(
        "background.vsharp",
        "vsharp",
        "VsharpParameters",
        "V-SHARP (Li et al., NeuroImage 2011, doi 10.1016/j.neuroimage.2010.11.088)",
    ),
    "resharp": Method(
        "background.resharp",
        "resharp",
        "ResharpParameters",
        "RESHARP (Sun and Wilman, Magn Reson Med 2014, doi 10.1002/mrm.24765)",
    ),
    "pdf": Method(
        "background.pdf",
        "projection_onto_dipole_fields",
        "PdfParameters",
        "projection onto dipole fields (Liu et al., NMR Biomed 2011, doi 10.1002/nbm.1670)",
    ),
    "lbv": Method(
        "background.lbv",
        "laplacian_boundary_value",
        "LbvParameters",
        "LBV (Zhou et al., NMR Biomed 2014, doi 10.1002/nbm.3064)",
    ),
    "none": Method(
        "background.none",
        "no_removal",
        "NoneParameters",
        "no background removal before the inversion",
    ),
}
