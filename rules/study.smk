# The study: its configuration, and every problem of it and of the inputs before any job.

from snakemake.exceptions import WorkflowError

from qsmiron.config_files import as_given, check_config_files
from qsmiron.errors import InputError
from qsmiron.progress import write_plan
from qsmiron.study import inspect_refused, load_study, with_all_files

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
change = study.change


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


def refuse_overwriting():
    """Stop if an output of a rule is a file that the user brought."""
    if underway:
        return
    written = [
        path
        for rule in workflow.rules
        for path in (*rule.output, *rule.log, rule.benchmark)
        if path
    ]
    try:
        study.refuse_overwriting(written, workflow.configfiles)
    except InputError as error:
        raise WorkflowError(str(error)) from None
