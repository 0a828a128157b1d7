# The cohort: the built-in demo's images, echoes of raw files in other forms, and the check of all.


rule simulate_cohort:
    input:
        script=settings.script("simulate_cohort"),
        plan=ancient(study.demo.plan),
    output:
        description=f"{study.demo.folder}/dataset_description.json",
        readme=f"{study.demo.folder}/README",
    log:
        paths.log("simulate_cohort"),
    benchmark:
        paths.benchmark("simulate_cohort")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        code=settings.code("simulate_cohort"),
        bids_dir=lambda wildcards, output: Path(output.readme).parent,
    message:
        "Describing the demo's raw data set"
    shell:
        "python {input.script:q} --plan {input.plan:q} --bids-dir {params.bids_dir:q}"
        " 2>&1 | tee {log:q}"


rule simulate_subject:
    input:
        script=settings.script("simulate_subject"),
        plan=ancient(study.demo.plan),
    output:
        images=study.demo.images("{subject}"),
        sidecars=study.demo.sidecars("{subject}"),
    log:
        paths.log("simulate_subject", "sub-{subject}"),
    benchmark:
        paths.benchmark("simulate_subject", "sub-{subject}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: memory(
            [], 0, attempt, at_least=1000 + 12000 / study.config.demo.voxel_size**3
        ),
        runtime=20,
    params:
        code=settings.code("simulate_subject"),
        bids_dir=lambda wildcards: study.demo.folder,
        voxel_size=study.config.demo.voxel_size,
        # Only an edit of this participant's row makes the images anew.
        row=lambda wildcards: study.demo.row(wildcards.subject),
        session=option("--session", *filter(None, study.demo.sessions[:1])),
    message:
        "Simulating the raw images of sub-{wildcards.subject}"
    shell:
        "python {input.script:q} --plan {input.plan:q} --participant sub-{wildcards.subject}"
        " {params.session:q} --bids-dir {params.bids_dir:q} --voxel-size {params.voxel_size}"
        " --threads {threads}"
        " 2>&1 | tee {log:q}"


rule simulate_visit:
    input:
        script=settings.script("simulate_visit"),
        plan=ancient(study.demo.plan),
        visits=ancient(study.demo.visits),
    output:
        images=study.demo.images("{subject}", "{session}"),
        sidecars=study.demo.sidecars("{subject}", "{session}"),
    log:
        paths.log("simulate_visit", "sub-{subject}_ses-{session}"),
    benchmark:
        paths.benchmark("simulate_visit", "sub-{subject}_ses-{session}")
    wildcard_constraints:
        session="[2-9]",
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: memory(
            [], 0, attempt, at_least=1500 + 20000 / study.config.demo.voxel_size**3
        ),
        runtime=30,
    params:
        code=settings.code("simulate_visit"),
        bids_dir=lambda wildcards, output: Path(output.images[0]).parents[3],
        voxel_size=study.config.demo.voxel_size,
        row=lambda wildcards: study.demo.row(wildcards.subject),
        visit=lambda wildcards: study.demo.visit(wildcards.subject, wildcards.session),
    message:
        "Simulating visit {wildcards.session} of sub-{wildcards.subject}"
    shell:
        "python {input.script:q} --plan {input.plan:q} --visits {input.visits:q}"
        " --participant sub-{wildcards.subject} --session {wildcards.session}"
        " --bids-dir {params.bids_dir:q} --voxel-size {params.voxel_size} --threads {threads}"
        " 2>&1 | tee {log:q}"


# Of scans whose raw files are no magnitude and phase of single echoes (qsmiron.raw_parts).
rule extract_echo:
    input:
        script=settings.script("extract_echo"),
        raw=cohort.raw_echo_files,
    output:
        magnitude=paths.echo("mag"),
        phase=paths.echo("phase"),
        magnitude_sidecar=paths.sidecar(paths.echo("mag")),
        phase_sidecar=paths.sidecar(paths.echo("phase")),
    log:
        paths.log("extract_echo", "{folder}/{entities}_echo-{echo}"),
    benchmark:
        paths.benchmark("extract_echo", "{folder}/{entities}_echo-{echo}")
    wildcard_constraints:
        echo="[0-9]+",
        entities=cohort.extracted_scans,
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 10, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.code("extract_echo"),
        raw=cohort.raw_echo_options,
    message:
        "Extracting echo {wildcards.echo} of {wildcards.entities}"
    shell:
        "python {input.script:q} {params.raw:q} --echo {wildcards.echo}"
        " --magnitude {output.magnitude:q} --phase {output.phase:q}"
        " 2>&1 | tee {log:q}"


# The same check runs before any job of a run (onstart, in study.smk). No other rule depends on
# this one: Snakemake does not look for changes downstream of a job that is about to run, so a
# check that precedes everything would hide them (docs/workflow.md).
rule check_inputs:
    input:
        script=settings.script("check_inputs"),
        images=cohort.raw_files,
        sidecars=cohort.raw_sidecars,
        named=study.named_files,
        shipped_config=settings.shipped("config/config.yaml"),
        participants=study.clinical_table,
        beside=study.tables_beside,
    output:
        report=f"{paths.work}/check_inputs.json",
    log:
        paths.log("check_inputs"),
    benchmark:
        paths.benchmark("check_inputs")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: memory([], 0, attempt, at_least=1000),
        runtime=10,
    params:
        code=settings.code("check_inputs"),
        bids_dir=lambda wildcards: study.bids_dir,
        n_scans=len(cohort.scans),
        settings=json.dumps(study.checked_settings),
    message:
        "Checking the inputs of {params.n_scans} scans"
    shell:
        "python {input.script:q} {params.bids_dir:q} --participants {input.participants:q}"
        " --config <(printf '%s' {params.settings:q}) --report {output.report:q}"
        " > {log:q} 2>&1 || {{ cat {log:q} >&2; exit 1; }}"
