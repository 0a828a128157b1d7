"""From raw multi-echo GRE phase and magnitude to the study's figures: a table of contents.

The stages follow in the order that the data flow. What each rule does is said in its script;
docs/workflow.md explains why the rules depend on each other as they do.
"""

import atexit
import gc
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "workflow_scripts"))

from snakemake.utils import min_version

from qsmiron.study import memory, minutes, option, options

min_version("9.0")

# Of a thousand scans Snakemake holds millions of objects until it ends. To look among them for
# cycles as often as Python does by itself, and once more before it ends, is a third of a dry run.
gc.set_threshold(100_000, 500)
atexit.register(gc.freeze)


# The configuration and the study; what is wrong with them and the inputs, before any job.
include: "rules/study.smk"


ENTITIES = r"sub-((?!_label-|_space-)[A-Za-z0-9_-])+?"


wildcard_constraints:
    folder=r"sub-[A-Za-z0-9]+(/ses-[A-Za-z0-9]+)?",
    # not the parts of χ, whose label- stands between, nor maps in the template's space
    entities=ENTITIES,
    desc=r"[A-Za-z0-9]+",
    atlas=r"[A-Za-z0-9]+",
    contrast=r"[A-Za-z0-9_.+-]+",
    score=r"[A-Za-z0-9_.+-]+",
    model=r"[A-Za-z0-9_.+-]+",
    part=r"[A-Za-z0-9_.+-]+",
    outcome=r"(contrast|score)-[A-Za-z0-9_.+-]+",
    extent="multiverse|full_multiverse",


# Without images no rule makes the tables that the group results start from: they are only read.
if study.has_images:

    include: "rules/cohort.smk"
    include: "rules/ready_maps.smk"
    include: "rules/registration.smk"

    if visits.any:

        include: "rules/visits.smk"
    include: "rules/reconstruction.smk"
    include: "rules/regions.smk"
    include: "rules/quality.smk"
    include: "rules/branches.smk"
    include: "rules/target_maps.smk"


include: "rules/group.smk"
include: "rules/figures.smk"
include: "rules/change.smk"
include: "rules/multiverse.smk"
include: "rules/viewer.smk"
include: "rules/report.smk"
include: "rules/failures.smk"


# Before Snakemake makes room for any output.
refuse_overwriting()


rule all:
    default_target: True
    input:
        cohort.every_scan(paths.chi, paths.reliable_mask, paths.quality_picture),
        cohort.every_scan_with_r2star(paths.r2star),
        sources.every_scan(paths.paramagnetic, paths.diamagnetic)
        if study.has_images
        else [],
        cohort.every_scan_with_labels(paths.labels),
        rules.describe_results.output,
        rules.gather_quality.output if study.has_images else [],
        rules.simulate_cohort.output if study.is_demo and study.has_images else [],
        rules.check_inputs.output if study.has_images and study.has_clinical else [],
        study.tables_of_images,
        targets.files if study.has_images and study.config.target_maps else [],
        multiverse.results("multiverse") if study.has_clinical else [],
        # Without a clinical table there are maps, regions and their quality, and no group.
        rules.write_report.output if study.has_clinical else [],


# Other reconstructions as well: every choice of the config's block multiverse.
rule multiverse:
    input:
        multiverse.results("full_multiverse"),


# Maps in the template's space, where the config does not ask for them in every run.
rule target_maps:
    input:
        targets.files if study.has_images else [],
