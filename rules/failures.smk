# When a run ends: which scans failed, and the group results without them if the config says so.

import signal
import subprocess

from qsmiron.errors import reported_to_user
from qsmiron.study.failed_scans import in_words

if study.failures and not underway:
    print(
        f"Left out, as they failed before:\n{in_words(study.failures)}\n"
        "Each is tried again when its files, the settings or the code have changed, or when its "
        f"record in {paths.failures} is deleted.",
        file=sys.stderr,
    )


def leave_failed_jobs_undone():
    """Keep what is on record of a job's outputs when the job fails.

    Snakemake 9.27 records the new parameters and inputs for a failed job too (its issue 3808), then
    removes its outputs; where files made from the old ones are still there, the next run would take
    these for up to date.
    """
    scheduler, persistence = workflow.scheduler, workflow.persistence
    record = persistence.finished

    async def record_if_done(job):
        failed = {
            member
            for each in scheduler._toerror
            for member in (each.jobs if each.is_group() else [each])
        }
        if job not in failed and all([await file.exists() for file in job.output]):
            await record(job)

    persistence.finished = record_if_done


def go_on_without_failed():
    """Run the same command again, which leaves out the scans that failed; its exit status.

    The lock stays with this process, which does nothing else.
    """
    command = [sys.executable, "-m", "snakemake", "--nolock", *sys.argv[1:]]
    environment = {**os.environ, CONTINUED: "1"}
    run = subprocess.Popen(command, cwd=workflow.workdir_init, env=environment)
    # Ctrl-C reaches both.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: run.terminate())
    status = run.wait()
    return status if status >= 0 else 128 - status


def can_go_on():
    """Whether the run came to its end, and the same command would not repeat what it did."""
    scheduler, asked = workflow.scheduler, workflow.dag_settings
    interrupted = scheduler.running or scheduler._user_kill or scheduler._executor_error
    from_shell = Path(sys.argv[0]).name in ("snakemake", "__main__.py")
    return from_shell and not (interrupted or asked.forceall or asked.forcerun)


onsuccess:
    if study.failures:
        print(
            f"Left out of every result:\n{in_words(study.failures)}",
            file=sys.stderr,
        )


onerror:
    asked = workflow.scheduler.failed, cohort.scans, workflow.start_time.timestamp()
    if of_cohort := study.failure_records.of_cohort(*asked):
        print(
            f"Jobs of the cohort that failed:\n{in_words(of_cohort)}",
            file=sys.stderr,
        )
    failures = study.failure_records.found(*asked)
    if failures:
        print(f"Scans that failed:\n{in_words(failures)}", file=sys.stderr)
        with reported_to_user():
            study.failure_records.write(failures)
        if study.config.on_subject_failure == "stop":
            print(
                "The results of the cohort take all scans. Mend these and repeat the command, or "
                "set on_subject_failure: exclude to make the results from the others.",
                file=sys.stderr,
            )
        elif len(failures) == len(cohort.scans):
            print("No scan is left to go on with.", file=sys.stderr)
        elif can_go_on():
            print("Going on without them.", file=sys.stderr, flush=True)
            sys.exit(go_on_without_failed())
        else:
            print("Repeat the command to go on without them.", file=sys.stderr)
