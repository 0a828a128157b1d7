# Regions: each scan's metrics, the pooled high-iron thresholds, and what lies above them.
# Metrics are a job for every variant and atlas, so that another one repeats none; deposits, which
# are counted in a moment, are one job for all of a scan.

from qsmiron.study.deposit_inputs import DepositInputs

deposits = DepositInputs(cohort, settings, clinical)


rule measure_regions:
    input:
        script=settings.script("measure_regions"),
        chi=cohort.from_stage("reference", paths.chi),
        labels=paths.labels,
        label_table=paths.label_table,
        mask=cohort.from_stage("background_field", paths.reliable_mask),
        r2star=cohort.r2star,
        paramagnetic=sources.paramagnetic,
        diamagnetic=sources.diamagnetic,
        tissues=cohort.tissues_of_cortex,
        weights=cohort.where(settings.weighs_voxels, cohort.label_weights),
    output:
        regions=paths.measured,
        quantiles=paths.quantiles,
        calibration=paths.calibration,
        values=paths.region_values,
        voxels=paths.region_voxels,
    log:
        paths.log("measure_regions", "{folder}/{entities}_desc-{desc}_atlas-{atlas}"),
    benchmark:
        paths.benchmark(
            "measure_regions", "{folder}/{entities}_desc-{desc}_atlas-{atlas}"
        )
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 60, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.code("measure_regions"),
        images=lambda wildcards, input: options(
            input, "r2star", "paramagnetic", "diamagnetic", "tissues", "weights"
        ),
        # One function: five of these jobs for every scan are a quarter of a large dry run.
        values=lambda wildcards: [
            *cohort.who(wildcards),
            *option("--age", clinical.age(wildcards.folder)),
            *option("--labels-source", cohort.origin(wildcards)),
            *settings.region_options(wildcards.desc),
        ],
    message:
        "Measuring the {wildcards.atlas} regions of {wildcards.entities}"
    shell:
        "python {input.script:q} --chi {input.chi:q} --labels {input.labels:q}"
        " --label-table {input.label_table:q} --mask {input.mask:q} {params.images:q}"
        " {params.values:q} --desc {wildcards.desc} --atlas {wildcards.atlas}"
        " --regions {output.regions:q} --quantiles {output.quantiles:q}"
        " --calibration {output.calibration:q} --values {output.values:q}"
        " --voxels {output.voxels:q}"
        " 2>&1 | tee {log:q}"


rule pool_thresholds:
    input:
        script=settings.script("pool_thresholds"),
        values=deposits.pooled,
        label_table=lambda wildcards: study.label_table(wildcards.atlas),
    output:
        thresholds=paths.thresholds,
    log:
        paths.log("pool_thresholds", "desc-{desc}_atlas-{atlas}"),
    benchmark:
        paths.benchmark("pool_thresholds", "desc-{desc}_atlas-{atlas}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: memory([], 0, attempt, at_least=1000),
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        code=settings.code("pool_thresholds"),
        parameters=settings.of_desc(lambda desc: settings.iron(desc).model_dump_json()),
    message:
        "Pooling the high-iron thresholds of {wildcards.atlas} regions"
    shell:
        "python {input.script:q} @<(printf '%s\\n' --values {input.values:q})"
        " --label-table {input.label_table:q} --thresholds {output.thresholds:q}"
        " --parameters {params.parameters:q}"
        " 2>&1 | tee {log:q}"


rule count_deposits:
    input:
        script=settings.script("count_deposits"),
        values=deposits.values,
        label_tables=deposits.label_tables,
        thresholds=deposits.thresholds,
    output:
        deposits=paths.deposits,
    log:
        paths.log("count_deposits", "{folder}/{entities}"),
    benchmark:
        paths.benchmark("count_deposits", "{folder}/{entities}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 5, attempt),
        runtime=5,
    params:
        code=settings.code("count_deposits"),
        parameters=deposits.parameters,
    message:
        "Counting the iron deposits of {wildcards.entities}"
    shell:
        "python {input.script:q} --values {input.values:q} --label-table {input.label_tables:q}"
        " --thresholds {input.thresholds:q} --deposits {output.deposits:q}"
        " --parameters {params.parameters:q}"
        " 2>&1 | tee {log:q}"


rule gather_regions:
    input:
        script=settings.script("gather_regions"),
        tables=lambda wildcards: cohort.gathered(wildcards.table),
    output:
        table=paths.group("{table}.tsv"),
        description=paths.group("{table}.json"),
    log:
        paths.log("gather_regions", "{table}"),
    benchmark:
        paths.benchmark("gather_regions", "{table}")
    wildcard_constraints:
        table="regions|quantiles|calibration|thresholds|region_voxels",
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 8, attempt),
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        code=settings.code("gather_regions"),
        name=lambda wildcards: wildcards.table,
        desc=[],
    message:
        "Gathering {params.name}.tsv of the cohort"
    shell:
        "python {input.script:q} --name {params.name} {params.desc:q} --output {output.table:q}"
        " @<(printf '%s\\n' --tables {input.tables:q})"
        " 2>&1 | tee {log:q}"
