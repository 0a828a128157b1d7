"""The columns of every table: what each holds, in which unit."""

from __future__ import annotations

from .change_columns import CHANGE_TABLES
from .shared_columns import CELL as _CELL
from .shared_columns import INFERENCE as _INFERENCE
from .shared_columns import LABELS_SOURCE as _LABELS_SOURCE
from .shared_columns import VARIANT as _VARIANT
from .shared_columns import WHO as _WHO
from .shared_columns import Column

_HEADLINE = {
    "kind": Column("contrast or score", text=True),
    "name": Column("The contrast or score, as the config names it", text=True),
    "origin": Column(
        "study: a finding is reported there; cohort: the strongest of this cohort (smallest p of "
        "the rigorous arm's primary metrics); both",
        text=True,
    ),
    "atlas": _VARIANT["atlas"],
    **{key: _CELL[key] for key in ("index", "region", "hemisphere", "family")},
}
_EFFECT_NAME = Column("cliffs_delta (of covariate residuals) or rho (partial)", text=True)

TABLES: dict[str, dict[str, Column]] = {
    **CHANGE_TABLES,
    "regions": {
        **_WHO,
        **_VARIANT,
        "labels_source": _LABELS_SOURCE,
        **_CELL,
        "value": Column("Value of the metric, in the row's unit"),
        "unit": Column("Unit of the value", text=True),
        "n_voxels": Column("Voxels that the metric was computed from"),
        "coverage": Column(
            "Fraction of the whole region, in and beyond the field of view, inside the reliable "
            "mask",
            "1",
        ),
    },
    "region_voxels": {
        **_WHO,
        **_VARIANT,
        "labels_source": _LABELS_SOURCE,
        "index": _CELL["index"],
        "region": _CELL["region"],
        "hemisphere": _CELL["hemisphere"],
        "n_label": Column("Voxels of the region's label"),
        "n_beyond": Column("Voxels that the region would have beyond the field of view"),
        "volume": Column("Volume of both: the whole region", "mm3"),
        "n_reliable": Column("Label voxels inside the reliable mask; the next five add up to it"),
        "n_eroded": Column("Left out: too near the border of a deep region"),
        "n_below_grey_matter": Column("Left out: cortex with too little grey matter"),
        "n_vein": Column("Left out: veins, high in χ and in R2*"),
        "n_outlier": Column("Left out: outliers in χ that are not counted as veins"),
        "n_used": Column("Voxels left to measure χ in"),
        "used_volume": Column("Their volume", "mm3"),
        "coverage": Column("n_reliable / (n_label + n_beyond)", "1"),
    },
    "quantiles": {
        **_WHO,
        **_VARIANT,
        "index": _CELL["index"],
        "region": _CELL["region"],
        "hemisphere": _CELL["hemisphere"],
        "probability": Column("Probability of the quantile", "1"),
        "chi": Column("Quantile of the susceptibility in the region", "ppm"),
    },
    "calibration": {
        **_WHO,
        **_VARIANT,
        "age": Column("Age", "years"),
        "slope": Column("Slope of the subject's line χ = intercept + slope · iron", "ppm·kg/mg"),
        "intercept": Column("Intercept of that line", "ppm"),
        "r_squared": Column("Explained variance of the fit"),
        "n_nuclei": Column("Nuclei in the fit"),
        "nucleus": Column("Nuclei, region-hemisphere, comma-separated", text=True),
        "expected_iron": Column("Iron expected at that age, in that order (mg/kg wet)", text=True),
        "measured_chi": Column("Median χ, in that order (ppm)", text=True),
        "reason": _INFERENCE["reason"],
    },
    "thresholds": {
        **_VARIANT,
        "index": _CELL["index"],
        "region": _CELL["region"],
        "hemisphere": _CELL["hemisphere"],
        "threshold": Column("High-iron threshold", "ppm"),
        "threshold_centred": Column(
            "The same of χ less each subject's median in the region", "ppm"
        ),
        "n_subjects": Column("Subjects pooled with equal weight"),
    },
    "group_tests": {
        "arm": Column("replication (raw) or rigorous (covariates, permutation)", text=True),
        **_VARIANT,
        "contrast": Column("Contrast, as the config names it", text=True),
        "level_1": Column("Level whose excess is a positive effect", text=True),
        "level_2": Column("Level it is compared with", text=True),
        "region": _CELL["region"],
        "hemisphere": _CELL["hemisphere"],
        "index": _CELL["index"],
        "metric": _CELL["metric"],
        "family": _CELL["family"],
        "test": Column("mann_whitney, rank_ancova or quantile_permutation", text=True),
        "covariates": Column("Covariates, comma-separated", text=True),
        "n_1": Column("Subjects of level_1 in the test"),
        "n_2": Column("Subjects of level_2 in the test"),
        "median_1": Column("Median of level_1, in the metric's unit"),
        "median_2": Column("Median of level_2, in the metric's unit"),
        "statistic": Column(
            "U of level_1 (mann_whitney), t of the group term (rank_ancova), or the distance over "
            "its mean under permutation (quantile_permutation)"
        ),
        "df": Column("Degrees of freedom of t"),
        "p": Column(
            "Two-sided parametric or exact p value, uncorrected; that of the permutations for "
            "quantile_permutation, which has no other"
        ),
        **{key: _INFERENCE[key] for key in ("p_perm", "p_maxt", "q")},
        "effect": Column(
            "Effect size; positive: level_1 above level_2 (a distance has no sign). In the "
            "rigorous arm of what covariates leave of the outcome: too small where they differ "
            "between the groups"
        ),
        "effect_name": Column(
            "cliffs_delta (of covariate residuals in the rigorous arm), or wasserstein_ppb: "
            "distance between the groups' mean quantile functions (ppb)",
            text=True,
        ),
        "ci_low": Column(
            "Lower end of the effect's 95 % BCa bootstrap interval, the groups resampled apart; "
            "none for quantile_permutation"
        ),
        "ci_high": Column("Upper end of that interval"),
        "hedges_g": Column("Hedges' g, on covariate residuals in the rigorous arm"),
        "reason": _INFERENCE["reason"],
    },
    "correlations": {
        "arm": Column("replication (raw) or rigorous (covariates, permutation)", text=True),
        **_VARIANT,
        "score": Column("Clinical score", text=True),
        "region": _CELL["region"],
        "hemisphere": _CELL["hemisphere"],
        "index": _CELL["index"],
        "metric": _CELL["metric"],
        "family": _CELL["family"],
        "method": Column("spearman or partial_spearman", text=True),
        "covariates": Column("Covariates, comma-separated", text=True),
        "n": Column("Subjects in the test"),
        "df": Column("Degrees of freedom: n − 2 − number of covariates"),
        "rho": Column("Rank correlation"),
        "ci_low": Column("Lower end of its 95 % BCa bootstrap interval over subjects"),
        "ci_high": Column("Upper end of that interval"),
        **{key: _INFERENCE[key] for key in ("p", "p_perm", "p_maxt", "q", "reason")},
    },
    "calibration_tests": {
        "kind": _HEADLINE["kind"],
        "name": _HEADLINE["name"],
        "arm": Column("replication (raw) or rigorous (covariates, permutation)", text=True),
        **_VARIANT,
        "parameter": Column("slope or intercept of the subjects' lines from χ to iron", text=True),
        "test": Column("mann_whitney, rank_ancova, spearman or partial_spearman", text=True),
        "covariates": Column("Covariates, comma-separated", text=True),
        "n": Column("Subjects in the test"),
        "df": Column("Degrees of freedom of the test"),
        "effect": Column("Effect size; positive: as in group_tests and correlations"),
        "effect_name": _EFFECT_NAME,
        "ci_low": Column("Lower end of its 95 % BCa bootstrap interval"),
        "ci_high": Column("Upper end of that interval"),
        "p": Column("Two-sided parametric or exact p value, uncorrected"),
        "p_perm": _INFERENCE["p_perm"],
        "reason": _INFERENCE["reason"],
    },
    "multiverse": {
        **_HEADLINE,
        "main": Column("yes for the specification as configured", text=True),
        "counted": Column(
            "yes with all covariates of the design: the curve's numbers are of these", text=True
        ),
        "desc": Column("Branch: the desc- label of its files", text=True),
        "field_map": Column("Method of the field map", text=True),
        "background_field": Column("Method of background removal", text=True),
        "inversion": Column("Method of dipole inversion", text=True),
        "reference": Column("What χ is relative to", text=True),
        "sources": Column("Method of the separation of iron and myelin, and its R2", text=True),
        "regions": Column("What differs in which voxels of a region count", text=True),
        "iron": Column("What differs in how χ becomes iron and deposits", text=True),
        "metric": _CELL["metric"],
        "covariates": Column("Covariates, comma-separated; n/a for none", text=True),
        "n": Column("Subjects in the test"),
        "df": Column("Degrees of freedom of the test"),
        "effect": Column("Effect size; positive: as in group_tests and correlations"),
        "effect_name": _EFFECT_NAME,
        "p": Column("Two-sided parametric p value of rank ANCOVA or partial Spearman"),
        "reason": _INFERENCE["reason"],
    },
    "specification_curves": {
        **_HEADLINE,
        "effect_name": _EFFECT_NAME,
        "n_specifications": Column("Combinations of choices"),
        "n_tested": Column(
            "Those with all covariates of the design whose test was possible; all that follows is "
            "of these"
        ),
        "n_same_sign": Column("Those with the sign of the main one"),
        "n_significant": Column("Of these, those with p below the level (statistics.alpha)"),
        "effect_main": Column("Effect as configured"),
        "p_main": Column("Its p"),
        "effect_median": Column("Median effect"),
        "effect_low": Column("Smallest effect"),
        "effect_high": Column("Largest effect"),
        "p_median": Column(
            "p of the whole curve: |median of the partial correlations| under Freedman-Lane "
            "permutations that all specifications share, (b + 1)/(B + 1)"
        ),
        "p_share": Column(
            "p of the whole curve by the same permutations: the largest share of results below "
            "the level in one direction"
        ),
    },
    "influence": {
        **_HEADLINE,
        "metric": _CELL["metric"],
        "participant_id": _WHO["participant_id"],
        "n": Column("Subjects in the test"),
        "effect_name": _EFFECT_NAME,
        "effect": Column("Effect with everybody"),
        "p": Column("Its p (rank ANCOVA or partial Spearman, with the covariates)"),
        "effect_without": Column("Effect without the participant"),
        "p_without": Column("Its p"),
        "reason": _INFERENCE["reason"],
    },
    "model_tests": {
        "model": Column("Model, as the config names it", text=True),
        "term": Column(
            "omnibus (any of the levels), trend, one level − another, an interaction, or what goes "
            "with the number in one group",
            text=True,
        ),
        **_VARIANT,
        "region": _CELL["region"],
        "hemisphere": _CELL["hemisphere"],
        "index": _CELL["index"],
        "metric": _CELL["metric"],
        "family": _CELL["family"],
        "test": Column("rank_t or rank_f on midranks of the outcome, t on its values", text=True),
        "covariates": Column("Covariates, comma-separated", text=True),
        "n": Column("Subjects in the model"),
        "df_1": Column("Columns of the term"),
        "df_2": Column("Residual degrees of freedom"),
        "statistic": Column("t of one column, F of several"),
        "p": Column("Two-sided parametric p value, uncorrected"),
        "p_perm": _INFERENCE["p_perm"],
        "p_maxt": Column(
            "Family-wise p over the regions of the metric, and over all pairs of levels together"
        ),
        "q": Column("Benjamini-Hochberg q value over the same set, on p"),
        "effect": Column("Effect size; positive: the earlier level higher, or rising"),
        "effect_name": Column(
            "cliffs_delta (pairs, of covariate residuals), partial_r; partial_r_squared (omnibus)",
            text=True,
        ),
        "reason": _INFERENCE["reason"],
    },
    "deviations": {
        "participant_id": _WHO["participant_id"],
        **_VARIANT,
        **_CELL,
        "covariates": Column("Covariates that the expected value depends on", text=True),
        "n_controls": Column("Controls that it comes from"),
        "value": Column("The patient's value, in the metric's unit"),
        "expected": Column("Value that controls of these covariates are expected to have"),
        "control_sd": Column("Residual SD of the controls, in the metric's unit"),
        "z": Column("(value − expected) / control_sd", "1"),
        "z_error": Column("Standard error of z, from the controls' number and the covariates", "1"),
        "t": Column("The difference over the standard error of a prediction"),
        "df": Column("Degrees of freedom of t"),
        "p": Column("Two-sided p of t, uncorrected"),
        "reason": Column("Why a value is n/a, or that it is extrapolated", text=True),
    },
    "planning": {
        **_VARIANT,
        **_CELL,
        "covariates": Column("Covariates that the residual SD is after", text=True),
        "n": Column("Participants that the residual SD comes from"),
        "residual_sd": Column("SD after the covariates, and roles where known", "ppm"),
        "effect": Column("Difference of two groups", "ppm"),
        "d": Column("effect / residual_sd (Cohen's d)", "1"),
        "alpha": Column("Level of one test"),
        "power": Column("Power that is planned for"),
        "n_per_group": Column("Participants per group for one rank test"),
        "n_regions": Column("Regions that are corrected for (Bonferroni)"),
        "n_per_group_corrected": Column("Participants per group, corrected over these"),
    },
    "null_rates": {
        "arm": _VARIANT["desc"]._replace(description="replication or rigorous"),
        **_VARIANT,
        "contrast": Column("Contrast whose labels were permuted", text=True),
        "family": _CELL["family"],
        "metric": _CELL["metric"],
        "n_permutations": Column("Random permutations of the group labels"),
        "n_cells": Column("Regions tested"),
        "alpha": Column("Nominal level"),
        "rate": Column("Mean false-positive rate over permutations and regions"),
        "rate_low": Column("Lower end of its 99 % interval, from the spread between permutations"),
        "rate_high": Column("Upper end of that interval"),
    },
    "recovery": {
        "effect": Column("Planted effect, as config/demo/effects.tsv names it", text=True),
        **_VARIANT,
        "contrast_or_score": Column("Contrast or score that it is planted in", text=True),
        "region": _CELL["region"],
        "hemisphere": _CELL["hemisphere"],
        "metric": _CELL["metric"],
        "measure": Column("mean_difference or rho", text=True),
        "unit": Column("Unit of planted and recovered", text=True),
        "n": Column("Subjects"),
        "planted": Column("Planted effect, from the plan's true values"),
        "recovered": Column("The same effect from the measured values"),
        "ratio": Column("recovered / planted", "1"),
        "ratio_low": Column("Lower end of its 95 % bootstrap interval over subjects", "1"),
        "ratio_high": Column("Upper end of that interval", "1"),
        "p_planted": Column("Replication-arm p of the plan's true values"),
        "p_recovered": Column("Replication-arm p of the measured values"),
        "p_reported": Column("p that the abstract reports"),
        "rho_reported": Column("rho that the abstract reports"),
        "same_sign": Column("yes or no", text=True),
        "net": Column(
            "Of an effect in χ⁺ or χ⁻: the same difference of net χ (chi_mean) in that cell", "ppm"
        ),
        "net_low": Column("Lower end of its 95 % bootstrap interval over subjects", "ppm"),
        "net_high": Column("Upper end of that interval", "ppm"),
        "p_net": Column("Its replication-arm p"),
        "assumption": Column("What the abstract leaves open and was chosen", text=True),
    },
    "quality": {
        **_WHO,
        "desc": _VARIANT["desc"],
        "used": Column("yes or no: whether the group results use the subject", text=True),
        "flags": Column("Everything worth a look, semicolon-separated; n/a if nothing", text=True),
        "labels_source": _LABELS_SOURCE,
        "chi_source": Column("What χ was made from: phase, or a ready map", text=True),
        "n_echoes": Column("Echoes"),
        "field_strength": Column("B0", "T"),
        "obliquity": Column("Angle between the slice normal and B0", "degrees"),
        "brain_volume": Column("Volume of the brain mask", "mL"),
        "reliable_fraction": Column("Reliable mask / brain mask", "1"),
        "field_noise": Column("Median noise SD of the total field in the brain", "ppm"),
        "alternating_slope": Column("Phase of even against odd echoes, across the brain", "rad"),
        "alternating_constant": Column("The same, mean of the brain (bipolar readout?)", "rad"),
        "reference_mean": Column("Mean χ of the reference region, subtracted", "ppm"),
        "reference_sd": Column("SD of χ in the reference region", "ppm"),
        "reference_volume": Column("Volume of the reference region", "mL"),
        "registration_similarity": Column(
            "Correlation of T1w and warped template in windows of 10 mm, the mean", "1"
        ),
        "gre_similarity": Column("Mutual information of T1w and GRE magnitude in the brain"),
        "gre_sharpness": Column("The same, over its mean with the GRE moved by 6 mm", "1"),
        "brain_overlap": Column("Dice of the T1w's brain and the template's seen in it", "1"),
        "rotation": Column("Rotation between T1w and GRE", "degrees"),
        "translation": Column("Translation between T1w and GRE", "mm"),
        "jacobian_min": Column("Smallest Jacobian determinant of the template warp in the brain"),
        "jacobian_max": Column("Largest Jacobian determinant of the template warp in the brain"),
        "n_regions": Column("Regions (no whole tissues) with at least one measured voxel"),
        "min_coverage": Column("Smallest coverage of a region", "1"),
        "pallidum_chi": Column("Mean χ of the pallida (negative: phase sign?)", "ppm"),
        "volume_outliers": Column("Regions of a volume that is unusual in this cohort"),
        "largest_volume_z": Column("Robust z of the region volume furthest from the cohort's", "1"),
    },
}
