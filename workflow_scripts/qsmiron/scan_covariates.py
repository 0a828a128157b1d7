"""Names of the covariates that come from the scans and not from the clinical table."""

SCAN_COVARIATES = ("reliable_fraction", "brain_volume", "field_noise", "reference_sd")
"""Columns of the quality table that may be covariates."""

REGION_VOLUME = "region_volume"
"""The covariate that is each region's own volume."""
