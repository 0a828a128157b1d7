# Regions: each scan's metrics, the pooled high-iron thresholds, and what lies above them.


rule measure_regions:
    input:
        script=settings.script("measure_regions"),
        chi=cohort.from_stage("reference", paths.chi),
        labels=paths.labels,
        label_table=lambda wildcards: study.label_table(wildcards.atlas),
        mask=cohort.from_stage("background_field", paths.reliable_mask),
        r2star=cohort.r2star,
        tissues=lambda wildcards: (
            cohort.tissues(wildcards)
            if settings.uses_grey_matter(wildcards.desc)
            else []
        ),
        weights=lambda wildcards: (
            cohort.label_weights(wildcards)
            if settings.weighs_voxels(wildcards.desc)
            else []
        ),
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
        who=cohort.who,
        age=lambda wildcards: option("--age", clinical.age(wildcards.folder)),
        r2star=lambda wildcards, input: option("--r2star", *input.r2star),
        tissues=lambda wildcards, input: option("--tissues", *input.tissues),
        weights=lambda wildcards, input: option("--weights", *input.weights),
        labels_source=cohort.origin,
        selection=lambda wildcards: settings.selection(wildcards.desc).model_dump_json(),
        parameters=lambda wildcards: settings.iron(wildcards.desc).model_dump_json(),
    message:
        "Measuring the {wildcards.atlas} regions of {wildcards.entities}"
    shell:
        "python {input.script:q} --chi {input.chi:q} --labels {input.labels:q}"
        " --label-table {input.label_table:q} --mask {input.mask:q} {params.r2star:q}"
        " {params.tissues:q} {params.weights:q} --labels-source {params.labels_source}"
        " {params.who:q} --desc {wildcards.desc} --atlas {wildcards.atlas} {params.age:q}"
        " --regions {output.regions:q} --quantiles {output.quantiles:q}"
        " --calibration {output.calibration:q} --values {output.values:q}"
        " --voxels {output.voxels:q} --selection {params.selection:q}"
        " --parameters {params.parameters:q}"
        " 2>&1 | tee {log:q}"


rule pool_thresholds:
    input:
        script=settings.script("pool_thresholds"),
        values=lambda wildcards: cohort.every_scan_with_labels(
            paths.region_values, desc=wildcards.desc, atlas=wildcards.atlas
        ),
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
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        code=settings.code("pool_thresholds"),
        parameters=lambda wildcards: settings.iron(wildcards.desc).model_dump_json(),
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
        values=paths.region_values,
        label_table=lambda wildcards: study.label_table(wildcards.atlas),
        thresholds=paths.thresholds,
    output:
        deposits=paths.deposits,
    log:
        paths.log("count_deposits", "{folder}/{entities}_desc-{desc}_atlas-{atlas}"),
    benchmark:
        paths.benchmark(
            "count_deposits", "{folder}/{entities}_desc-{desc}_atlas-{atlas}"
        )
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        code=settings.code("count_deposits"),
        parameters=lambda wildcards: settings.iron(wildcards.desc).model_dump_json(),
    message:
        "Counting the iron deposits of {wildcards.entities}"
    shell:
        "python {input.script:q} --values {input.values:q} --label-table {input.label_table:q}"
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
        mem_mb=lambda wildcards, input, attempt: memory(input, 20, attempt),
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        code=settings.code("gather_regions"),
        name=lambda wildcards: wildcards.table,
    message:
        "Gathering {params.name}.tsv of the cohort"
    shell:
        "python {input.script:q} --name {params.name} --output {output.table:q}"
        " @<(printf '%s\\n' --tables {input.tables:q})"
        " 2>&1 | tee {log:q}"
