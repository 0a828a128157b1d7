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

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from qsmiron.config_files import as_given, check_config_files
from qsmiron.errors import InputError
from qsmiron.progress import write_plan
from qsmiron.study import inspect_refused, load_study, memory, minutes, option, options
from qsmiron.study import with_all_files

min_version("9.0")

# Of a thousand scans Snakemake holds millions of objects until it ends. To look among them for
# cycles as often as Python does by itself, and once more before it ends, is a third of a dry run.
gc.set_threshold(100_000, 500)
atexit.register(gc.freeze)


SHIPPED_CONFIG = f"{workflow.basedir}/config/config.yaml"

try:
    check_config_files([SHIPPED_CONFIG, *workflow.configfiles])
except InputError as error:
    raise WorkflowError(str(error)) from None


configfile: SHIPPED_CONFIG


# Jobs that a cluster runs, and a run that goes on without failed scans, are part of a run.
CONTINUED = "QSMIRON_CONTINUED"
underway = not workflow.is_main_process or CONTINUED in os.environ

# Snakemake merges blocks, and takes 01 on the command line for 1: see what was given.
given = workflow.config_settings
layers = [given.overwrite_config, given.config]
values = config


def show_problems(inspection, checked, end=True):
    """The input check as text on stderr; an error in it is the end, unless more is to be said."""
    from qsmiron.checks.report import as_text

    print(as_text(inspection, checked), file=sys.stderr)
    if inspection.errors and end:
        sys.exit(1)


try:
    values = as_given(config, layers, given.config_args or [])
    study = load_study(values, workflow.basedir, underway)
except InputError as error:
    # What else is wrong comes first.
    refused = None if underway else inspect_refused(values)
    if refused and refused.errors:
        show_problems(refused, values["bids_dir"], end=refused.tells(error))
    raise WorkflowError(str(error)) from None

paths = study.paths
cohort = study.cohort
settings = study.settings
clinical = study.clinical
multiverse = study.multiverse


checked = study.bids_dir if study.has_images else study.regions_table

# Before the jobs of a run or dry run are planned: of files that are not there Snakemake would name
# those of one job, or pass over them where their results exist. Other commands need no inputs.
if not underway:
    workflow.execute = with_all_files(
        study,
        workflow.execute,
        lambda inspection: show_problems(inspection, checked),
    )


# Before any job of a run: every problem of the inputs at once.
onstart:
    show_problems(study.inspect(), checked)
    jobs = [job for job in workflow.dag.needrun_jobs() if job.benchmark]
    write_plan(paths.benchmarks, [job.benchmark for job in jobs])
    study.failure_records.note_state()
    study.failure_records.forget(cohort.scans)
    leave_failed_jobs_undone()
    # One scan's failure does not stop the others; what depends on it is not made.
    workflow.scheduler.keepgoing = True
    # Snakemake 9.27 re-arms its rate limit once a second for every job that has ended, and each
    # time looks at all waiting jobs: a third of a core after 300 jobs. Local runs need no limit.
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None


wildcard_constraints:
    folder=r"sub-[A-Za-z0-9]+(/ses-[A-Za-z0-9]+)?",
    entities=r"sub-[A-Za-z0-9_-]+?",
    desc=r"[A-Za-z0-9]+",
    atlas=r"[A-Za-z0-9]+",
    contrast=r"[A-Za-z0-9_.+-]+",
    score=r"[A-Za-z0-9_.+-]+",
    outcome=r"(contrast|score)-[A-Za-z0-9_.+-]+",
    extent="multiverse|full_multiverse",


# Without images no rule makes the tables that the group results start from: they are only read.
if study.has_images:

    include: "rules/cohort.smk"
    include: "rules/registration.smk"
    include: "rules/reconstruction.smk"
    include: "rules/regions.smk"
    include: "rules/quality.smk"
    include: "rules/branches.smk"


include: "rules/group.smk"
include: "rules/multiverse.smk"
include: "rules/viewer.smk"
include: "rules/report.smk"
include: "rules/failures.smk"


# Before Snakemake makes room for any output.
if not underway:
    try:
        study.refuse_overwriting(
            [
                path
                for rule in workflow.rules
                for path in (*rule.output, *rule.log, rule.benchmark)
                if path
            ],
            workflow.configfiles,
        )
    except InputError as error:
        raise WorkflowError(str(error)) from None


rule all:
    default_target: True
    input:
        cohort.every_scan(paths.chi, paths.reliable_mask, paths.quality_picture),
        cohort.every_multi_echo_scan(paths.r2star),
        cohort.every_scan_with_labels(paths.labels),
        rules.describe_results.output,
        rules.gather_quality.output if study.has_images else [],
        rules.simulate_cohort.output if study.is_demo and study.has_images else [],
        rules.check_inputs.output if study.has_images and study.has_clinical else [],
        study.tables_of_images,
        multiverse.results("multiverse") if study.has_clinical else [],
        # Without a clinical table there are maps, regions and their quality, and no group.
        rules.write_report.output if study.has_clinical else [],


# Other reconstructions as well: every choice of the config's block multiverse.
rule multiverse:
    input:
        multiverse.results("full_multiverse"),
