# Group results: one job per contrast and per score, so that an edited score repeats only its own.
# The clinical table is an ancient input: what a job takes from it stands in its params.


rule assign_groups:
    input:
        script=settings.script("assign_groups"),
        participants=study.clinical_table,
        beside=study.tables_beside,
        regions=[] if study.has_images else [study.regions_table],
    output:
        participants=f"{paths.root}/participants.tsv",
        description=f"{paths.root}/participants.json",
    log:
        paths.log("assign_groups"),
    benchmark:
        paths.benchmark("assign_groups")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 10, attempt),
        runtime=5,
    params:
        code=settings.code("assign_groups"),
        contrasts=", ".join(study.contrasts),
        sessions=lambda wildcards, input: option("--regions", *input.regions),
        settings=settings.slice("contrasts", "scores", "scores_of", *settings.design),
    message:
        "Assigning the groups of {params.contrasts}"
    shell:
        "python {input.script:q} --participants {input.participants:q} {params.sessions:q}"
        " --config <(printf '%s' {params.settings:q}) --output {output.participants:q}"
        " 2>&1 | tee {log:q}"


rule test_groups:
    input:
        script=settings.script("test_groups"),
        regions=study.regions_table,
        quantiles=study.quantiles_tables,
        calibration=study.calibration_tables,
        participants=ancient(study.clinical_table),
        beside=ancient(study.tables_beside),
        quality=study.covariate_quality(),
        region_voxels=study.covariate_volumes(),
    output:
        table=paths.contrast_tests,
        calibration=paths.calibration_tests("contrast"),
    log:
        paths.log("test_groups", "{contrast}"),
    benchmark:
        paths.benchmark("test_groups", "{contrast}")
    conda:
        "../envs/qsmiron.yaml"
    threads: study.config.threads.statistics
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 10, attempt),
        runtime=30,
    params:
        code=settings.code("test_groups"),
        measured=lambda wildcards, input: [
            *option("--quantiles", *input.quantiles),
            *option("--calibration", *input.calibration),
        ],
        settings=lambda wildcards: settings.contrast_slice(wildcards.contrast),
        clinical=lambda wildcards: clinical.contrast_values(wildcards.contrast),
        scans=lambda wildcards, input: [
            *option("--quality", *input.quality),
            *option("--region-voxels", *input.region_voxels),
        ],
    message:
        "Testing the contrast {wildcards.contrast}"
    shell:
        "python {input.script:q} --regions {input.regions:q} --participants {input.participants:q} {params.scans:q}"
        " --config <(printf '%s' {params.settings:q}) --contrast {wildcards.contrast}"
        " {params.measured:q} --output {output.table:q}"
        " --calibration-tests {output.calibration:q}"
        " 2>&1 | tee {log:q}"


rule correlate_scores:
    input:
        script=settings.script("correlate_scores"),
        regions=study.regions_table,
        calibration=study.calibration_tables,
        participants=ancient(study.clinical_table),
        beside=ancient(study.tables_beside),
        quality=study.covariate_quality(),
        region_voxels=study.covariate_volumes(),
    output:
        table=paths.score_correlations,
        calibration=paths.calibration_tests("score"),
    log:
        paths.log("correlate_scores", "{score}"),
    benchmark:
        paths.benchmark("correlate_scores", "{score}")
    conda:
        "../envs/qsmiron.yaml"
    threads: study.config.threads.statistics
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 20, attempt),
        runtime=30,
    params:
        code=settings.code("correlate_scores"),
        measured=lambda wildcards, input: option("--calibration", *input.calibration),
        settings=lambda wildcards: settings.score_slice(wildcards.score),
        clinical=lambda wildcards: clinical.score_values(wildcards.score),
        scans=lambda wildcards, input: [
            *option("--quality", *input.quality),
            *option("--region-voxels", *input.region_voxels),
        ],
    message:
        "Correlating with {wildcards.score}"
    shell:
        "python {input.script:q} --regions {input.regions:q} --participants {input.participants:q} {params.scans:q}"
        " --config <(printf '%s' {params.settings:q}) --score {wildcards.score}"
        " {params.measured:q} --output {output.table:q}"
        " --calibration-tests {output.calibration:q}"
        " 2>&1 | tee {log:q}"


rule test_models:
    input:
        script=settings.script("test_models"),
        regions=study.regions_table,
        participants=ancient(study.clinical_table),
        beside=ancient(study.tables_beside),
        quality=study.covariate_quality(),
        region_voxels=study.covariate_volumes(),
    output:
        table=paths.model_tests,
    log:
        paths.log("test_models", "{model}"),
    benchmark:
        paths.benchmark("test_models", "{model}")
    conda:
        "../envs/qsmiron.yaml"
    threads: study.config.threads.statistics
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 20, attempt),
        runtime=30,
    params:
        code=settings.code("test_models"),
        settings=lambda wildcards: settings.model_slice(wildcards.model),
        clinical=lambda wildcards: clinical.model_values(wildcards.model),
        scans=lambda wildcards, input: [
            *option("--quality", *input.quality),
            *option("--region-voxels", *input.region_voxels),
        ],
    message:
        "Testing the model {wildcards.model}"
    shell:
        "python {input.script:q} --regions {input.regions:q} --participants {input.participants:q} {params.scans:q}"
        " --config <(printf '%s' {params.settings:q}) --model {wildcards.model}"
        " --output {output.table:q}"
        " 2>&1 | tee {log:q}"


# Every table of tests is gathered from those of single contrasts and scores.
rule gather_tests:
    input:
        script=settings.script("gather_tests"),
        tables=lambda wildcards: study.gathered_tests.parts(wildcards.table),
    output:
        table=paths.group("{table}.tsv"),
        description=paths.group("{table}.json"),
    log:
        paths.log("gather_tests", "{table}"),
    benchmark:
        paths.benchmark("gather_tests", "{table}")
    wildcard_constraints:
        table="|".join(study.gathered_tests.tables),
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 10, attempt),
        runtime=5,
    params:
        code=settings.code("gather_tests"),
        name=lambda wildcards: study.gathered_tests.tables[wildcards.table],
    message:
        "Gathering {wildcards.table}.tsv"
    shell:
        "python {input.script:q} --name {params.name:q} --tables {input.tables:q}"
        " --output {output.table:q}"
        " 2>&1 | tee {log:q}"


rule estimate_null_rates:
    input:
        script=settings.script("estimate_null_rates"),
        regions=study.regions_table,
        participants=ancient(study.clinical_table),
        beside=ancient(study.tables_beside),
        quality=study.covariate_quality(),
        region_voxels=study.covariate_volumes(),
    output:
        table=paths.group("null_rates.tsv"),
        description=paths.group("null_rates.json"),
    log:
        paths.log("estimate_null_rates"),
    benchmark:
        paths.benchmark("estimate_null_rates")
    conda:
        "../envs/qsmiron.yaml"
    threads: study.config.threads.statistics
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 20, attempt),
        runtime=30,
    params:
        code=settings.code("estimate_null_rates"),
        settings=settings.slice("contrasts", *settings.design),
        clinical=clinical.all_contrast_values(),
        scans=lambda wildcards, input: [
            *option("--quality", *input.quality),
            *option("--region-voxels", *input.region_voxels),
        ],
    message:
        "Estimating false-positive rates under permuted groups"
    shell:
        "python {input.script:q} --regions {input.regions:q} --participants {input.participants:q} {params.scans:q}"
        " --config <(printf '%s' {params.settings:q}) --output {output.table:q}"
        " 2>&1 | tee {log:q}"


# Where the configuration names patients and controls.
rule measure_deviations:
    input:
        script=settings.script("measure_deviations"),
        regions=study.regions_table,
        participants=ancient(study.clinical_table),
        beside=ancient(study.tables_beside),
        quality=study.covariate_quality(),
        region_voxels=study.covariate_volumes(),
    output:
        table=paths.group("deviations.tsv"),
        description=paths.group("deviations.json"),
    log:
        paths.log("measure_deviations"),
    benchmark:
        paths.benchmark("measure_deviations")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 10, attempt),
        runtime=10,
    params:
        code=settings.code("measure_deviations"),
        settings=settings.slice(*settings.design),
        clinical=clinical.role_values,
        scans=lambda wildcards, input: [
            *option("--quality", *input.quality),
            *option("--region-voxels", *input.region_voxels),
        ],
    message:
        "Measuring the patients' deviation from controls"
    shell:
        "python {input.script:q} --regions {input.regions:q} --participants {input.participants:q} {params.scans:q}"
        " --config <(printf '%s' {params.settings:q}) --output {output.table:q}"
        " 2>&1 | tee {log:q}"


rule plan_sample_size:
    input:
        script=settings.script("plan_sample_size"),
        regions=study.regions_table,
        participants=ancient(study.clinical_table),
        beside=ancient(study.tables_beside),
        quality=study.covariate_quality(),
        region_voxels=study.covariate_volumes(),
    output:
        table=paths.group("planning.tsv"),
        description=paths.group("planning.json"),
    log:
        paths.log("plan_sample_size"),
    benchmark:
        paths.benchmark("plan_sample_size")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 10, attempt),
        runtime=10,
    params:
        code=settings.code("plan_sample_size"),
        settings=settings.slice(*settings.design),
        clinical=clinical.role_values,
        scans=lambda wildcards, input: [
            *option("--quality", *input.quality),
            *option("--region-voxels", *input.region_voxels),
        ],
    message:
        "Planning a sample by this cohort's variance"
    shell:
        "python {input.script:q} --regions {input.regions:q} --participants {input.participants:q} {params.scans:q}"
        " --config <(printf '%s' {params.settings:q}) --output {output.table:q}"
        " 2>&1 | tee {log:q}"


rule compare_recovery:
    input:
        script=settings.script("compare_recovery"),
        plan=study.demo.plan,
        effects=study.demo.effects,
        regions=study.regions_table,
        participants=study.clinical_table,
        beside=study.tables_beside,
        visits=study.demo.planned_visits,
    output:
        table=paths.group("recovery.tsv"),
        description=paths.group("recovery.json"),
    log:
        paths.log("compare_recovery"),
    benchmark:
        paths.benchmark("compare_recovery")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 10, attempt),
        runtime=10,
    params:
        code=settings.code("compare_recovery"),
        visits=lambda wildcards, input: options(input, "visits"),
        settings=settings.slice("contrasts", "scores", "scores_of", *settings.design),
    message:
        "Comparing planted with recovered effects"
    shell:
        "python {input.script:q} --plan {input.plan:q} --effects {input.effects:q}"
        " --regions {input.regions:q} --participants {input.participants:q} {params.visits:q}"
        " --config <(printf '%s' {params.settings:q}) --output {output.table:q}"
        " 2>&1 | tee {log:q}"
