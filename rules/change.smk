# Change over time, where participants have several sessions: tests, rates and their figures. One job
# for each question (qsmiron.study.change), so that an edited score of a visit repeats its own.


# Where participants have several sessions: a job per question, so that an edited score of a visit
# repeats only its own.
rule test_change:
    input:
        script=settings.script("test_change"),
        regions=study.regions_table,
        participants=ancient(study.clinical_table),
        beside=ancient(study.tables_beside),
        quality=study.covariate_quality(),
        region_voxels=study.covariate_volumes(),
    output:
        table=paths.change_tests,
    log:
        paths.log("test_change", "{part}"),
    benchmark:
        paths.benchmark("test_change", "{part}")
    conda:
        "../envs/qsmiron.yaml"
    threads: study.config.threads.statistics
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 20, attempt),
        runtime=30,
    params:
        code=settings.code("test_change"),
        settings=lambda wildcards: change.settings(wildcards.part),
        clinical=lambda wildcards: change.values(wildcards.part),
        scans=lambda wildcards, input: [
            *option("--quality", *input.quality),
            *option("--region-voxels", *input.region_voxels),
        ],
    message:
        "Testing change over time: {wildcards.part}"
    shell:
        "python {input.script:q} --regions {input.regions:q} --participants {input.participants:q} {params.scans:q}"
        " --config <(printf '%s' {params.settings:q}) --part {wildcards.part}"
        " --output {output.table:q}"
        " 2>&1 | tee {log:q}"


rule measure_rates:
    input:
        script=settings.script("measure_rates"),
        regions=study.regions_table,
        participants=ancient(study.clinical_table),
        beside=ancient(study.tables_beside),
    output:
        table=paths.group("rates.tsv"),
        description=paths.group("rates.json"),
    log:
        paths.log("measure_rates"),
    benchmark:
        paths.benchmark("measure_rates")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 20, attempt),
        runtime=10,
    params:
        code=settings.code("measure_rates"),
        settings=settings.slice("change", "statistics"),
        visits=change.months,
    message:
        "Measuring the participants' rates of change"
    shell:
        "python {input.script:q} --regions {input.regions:q} --participants {input.participants:q}"
        " --config <(printf '%s' {params.settings:q}) --output {output.table:q}"
        " 2>&1 | tee {log:q}"


# Where participants have several sessions.
rule draw_trajectories:
    input:
        script=settings.script("draw_trajectories"),
        change=paths.change_tests,
        regions=study.regions_table,
        participants=ancient(study.clinical_table),
        beside=ancient(study.tables_beside),
    output:
        png=paths.figure("trajectories_{part}.png"),
        svg=paths.figure("trajectories_{part}.svg"),
    log:
        paths.log("draw_trajectories", "{part}"),
    benchmark:
        paths.benchmark("draw_trajectories", "{part}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 20, attempt),
        runtime=10,
    params:
        code=settings.code("draw_trajectories"),
        settings=lambda wildcards: change.settings(wildcards.part),
        clinical=lambda wildcards: change.values(wildcards.part),
    message:
        "Drawing each participant's change: {wildcards.part}"
    shell:
        "python {input.script:q} --change {input.change:q} --regions {input.regions:q}"
        " --participants {input.participants:q} --config <(printf '%s' {params.settings:q})"
        " --part {wildcards.part} --output {output.png:q}"
        " 2>&1 | tee {log:q}"


rule draw_rates:
    input:
        script=settings.script("draw_rates"),
        change=paths.change_tests,
        atlas=effects.files,
    output:
        forest=paths.figure("rates_{part}.png"),
        forest_svg=paths.figure("rates_{part}.svg"),
        brain=paths.figure("ratemaps_{part}.png"),
        brain_svg=paths.figure("ratemaps_{part}.svg"),
    log:
        paths.log("draw_rates", "{part}"),
    benchmark:
        paths.benchmark("draw_rates", "{part}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 10, attempt),
        runtime=10,
    params:
        code=settings.code("draw_rates"),
        atlas=effects.arguments,
    message:
        "Drawing the rates of change: {wildcards.part}"
    shell:
        "python {input.script:q} --change {input.change:q} --part {wildcards.part}"
        " {params.atlas:q} --forest {output.forest:q} --brain {output.brain:q}"
        " 2>&1 | tee {log:q}"
