# The multiverse: the headline findings under other defensible choices, and without each patient.


rule vary_choices:
    input:
        script=settings.script("vary_choices"),
        regions=study.regions_table,
        branches=lambda wildcards: multiverse.regions_tables(wildcards.extent),
        tests=lambda wildcards: multiverse.tests(wildcards.outcome),
        participants=ancient(study.clinical_table),
        beside=ancient(study.tables_beside),
        quality=study.covariate_quality(choices=True),
        region_voxels=study.covariate_volumes(choices=True),
    output:
        multiverse=paths.headline("{extent}"),
        curves=paths.headline("{extent}_curves"),
    log:
        paths.log("vary_choices", "{outcome}_{extent}"),
    benchmark:
        paths.benchmark("vary_choices", "{outcome}_{extent}")
    conda:
        "../envs/qsmiron.yaml"
    threads: study.config.threads.statistics
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 20, attempt),
        runtime=30,
    params:
        code=settings.code("vary_choices"),
        outcome=lambda wildcards: multiverse.option(wildcards.outcome),
        settings=lambda wildcards: multiverse.settings(wildcards.outcome),
        clinical=lambda wildcards: multiverse.clinical_values(
            wildcards.outcome, choices=True
        ),
        which=multiverse.which,
        analysis=settings.analysis_choices,
        choices=lambda wildcards: multiverse.choices(wildcards.extent),
        scans=lambda wildcards, input: [
            *option("--quality", *input.quality),
            *option("--region-voxels", *input.region_voxels),
        ],
    message:
        "Varying the choices behind the findings of {wildcards.outcome}"
    shell:
        "python {input.script:q} --regions {input.regions:q} {input.branches:q}"
        " --tests {input.tests:q} --participants {input.participants:q} {params.scans:q}"
        " --config <(printf '%s' {params.settings:q}) {params.outcome:q} {params.which:q}"
        " --analysis {params.analysis:q} --choices {params.choices:q}"
        " --multiverse {output.multiverse:q} --curves {output.curves:q}"
        " 2>&1 | tee {log:q}"


rule leave_one_out:
    input:
        script=settings.script("leave_one_out"),
        regions=study.regions_table,
        tests=lambda wildcards: multiverse.tests(wildcards.outcome),
        participants=ancient(study.clinical_table),
        beside=ancient(study.tables_beside),
        quality=study.covariate_quality(),
        region_voxels=study.covariate_volumes(),
    output:
        table=paths.headline("influence"),
    log:
        paths.log("leave_one_out", "{outcome}"),
    benchmark:
        paths.benchmark("leave_one_out", "{outcome}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 20, attempt),
        runtime=30,
    params:
        code=settings.code("leave_one_out"),
        outcome=lambda wildcards: multiverse.option(wildcards.outcome),
        settings=lambda wildcards: multiverse.settings(wildcards.outcome),
        clinical=lambda wildcards: multiverse.clinical_values(wildcards.outcome),
        which=multiverse.which,
        scans=lambda wildcards, input: [
            *option("--quality", *input.quality),
            *option("--region-voxels", *input.region_voxels),
        ],
    message:
        "Leaving each patient out of the findings of {wildcards.outcome}"
    shell:
        "python {input.script:q} --regions {input.regions:q} --tests {input.tests:q}"
        " --participants {input.participants:q} {params.scans:q} --config <(printf '%s' {params.settings:q})"
        " {params.outcome:q} {params.which:q}"
        " --influence {output.table:q}"
        " 2>&1 | tee {log:q}"


rule draw_specification_curves:
    input:
        script=settings.script("draw_specification_curves"),
        multiverse=paths.headline("{extent}"),
        curves=paths.headline("{extent}_curves"),
    output:
        png=paths.figure("{extent}_{outcome}.png"),
        svg=paths.figure("{extent}_{outcome}.svg"),
    log:
        paths.log("draw_specification_curves", "{outcome}_{extent}"),
    benchmark:
        paths.benchmark("draw_specification_curves", "{outcome}_{extent}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 10, attempt),
        runtime=10,
    params:
        code=settings.code("draw_specification_curves"),
        alpha=study.config.statistics.alpha,
    message:
        "Drawing the specification curves of {wildcards.outcome}"
    shell:
        "python {input.script:q} --multiverse {input.multiverse:q} --curves {input.curves:q}"
        " --alpha {params.alpha} --output {output.png:q}"
        " 2>&1 | tee {log:q}"
