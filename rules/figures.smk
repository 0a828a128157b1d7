# Figures of the group results: one job for each contrast or score.

from qsmiron.study.effect_inputs import EffectInputs

effects = EffectInputs(cohort, study.given_atlases)


rule draw_group_distributions:
    input:
        script=settings.script("draw_group_distributions"),
        regions=study.regions_table,
        tests=paths.contrast_tests,
        participants=ancient(study.clinical_table),
        beside=ancient(study.tables_beside),
    output:
        png=paths.figure("distributions_{contrast}.png"),
        svg=paths.figure("distributions_{contrast}.svg"),
    log:
        paths.log("draw_group_distributions", "{contrast}"),
    benchmark:
        paths.benchmark("draw_group_distributions", "{contrast}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 10, attempt),
        runtime=10,
    params:
        code=settings.code("draw_group_distributions"),
        settings=lambda wildcards: settings.contrast_slice(wildcards.contrast),
        clinical=lambda wildcards: clinical.contrast_values(wildcards.contrast),
    message:
        "Drawing the group distributions of {wildcards.contrast}"
    shell:
        "python {input.script:q} --regions {input.regions:q} --group-tests {input.tests:q}"
        " --participants {input.participants:q} --config <(printf '%s' {params.settings:q})"
        " --contrast {wildcards.contrast} --output {output.png:q}"
        " 2>&1 | tee {log:q}"


rule draw_quantiles:
    input:
        script=settings.script("draw_quantiles"),
        quantiles=paths.group("quantiles.tsv"),
        tests=paths.contrast_tests,
        participants=ancient(study.clinical_table),
        beside=ancient(study.tables_beside),
    output:
        png=paths.figure("quantiles_{contrast}.png"),
        svg=paths.figure("quantiles_{contrast}.svg"),
    log:
        paths.log("draw_quantiles", "{contrast}"),
    benchmark:
        paths.benchmark("draw_quantiles", "{contrast}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 10, attempt),
        runtime=10,
    params:
        code=settings.code("draw_quantiles"),
        settings=lambda wildcards: settings.contrast_slice(wildcards.contrast),
        clinical=lambda wildcards: clinical.contrast_values(wildcards.contrast),
    message:
        "Drawing the quantile differences of {wildcards.contrast}"
    shell:
        "python {input.script:q} --quantiles {input.quantiles:q} --group-tests {input.tests:q}"
        " --participants {input.participants:q} --config <(printf '%s' {params.settings:q})"
        " --contrast {wildcards.contrast} --output {output.png:q}"
        " 2>&1 | tee {log:q}"


rule draw_effects:
    input:
        script=settings.script("draw_effects"),
        tests=paths.contrast_tests,
        atlas=effects.files,
    output:
        png=paths.figure("effects_{contrast}.png"),
        svg=paths.figure("effects_{contrast}.svg"),
    log:
        paths.log("draw_effects", "{contrast}"),
    benchmark:
        paths.benchmark("draw_effects", "{contrast}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 10, attempt),
        runtime=10,
    params:
        code=settings.code("draw_effects"),
        atlas=effects.arguments,
    message:
        "Drawing the effects of {wildcards.contrast} on the brain"
    shell:
        "python {input.script:q} --group-tests {input.tests:q} --contrast {wildcards.contrast}"
        " {params.atlas:q} --output {output.png:q}"
        " 2>&1 | tee {log:q}"


rule draw_correlations:
    input:
        script=settings.script("draw_correlations"),
        regions=study.regions_table,
        correlations=paths.score_correlations,
        participants=ancient(study.clinical_table),
        beside=ancient(study.tables_beside),
    output:
        png=paths.figure("correlations_{score}.png"),
        svg=paths.figure("correlations_{score}.svg"),
    log:
        paths.log("draw_correlations", "{score}"),
    benchmark:
        paths.benchmark("draw_correlations", "{score}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 10, attempt),
        runtime=10,
    params:
        code=settings.code("draw_correlations"),
        settings=lambda wildcards: settings.score_slice(wildcards.score),
        clinical=lambda wildcards: clinical.score_values(wildcards.score),
    message:
        "Drawing the correlations with {wildcards.score}"
    shell:
        "python {input.script:q} --regions {input.regions:q}"
        " --correlations {input.correlations:q} --participants {input.participants:q}"
        " --config <(printf '%s' {params.settings:q}) --score {wildcards.score}"
        " --output {output.png:q}"
        " 2>&1 | tee {log:q}"


rule draw_forest:
    input:
        script=settings.script("draw_forest"),
        tests=lambda wildcards: multiverse.tests(wildcards.outcome),
    output:
        png=paths.figure("forest_{outcome}.png"),
        svg=paths.figure("forest_{outcome}.svg"),
    log:
        paths.log("draw_forest", "{outcome}"),
    benchmark:
        paths.benchmark("draw_forest", "{outcome}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 10, attempt),
        runtime=10,
    params:
        code=settings.code("draw_forest"),
        outcome=lambda wildcards: multiverse.option(wildcards.outcome),
    message:
        "Drawing the largest effects of {wildcards.outcome}"
    shell:
        "python {input.script:q} --tests {input.tests:q} {params.outcome:q} --output {output.png:q}"
        " 2>&1 | tee {log:q}"


# Where sites are harmonised.
rule draw_harmonisation:
    input:
        script=settings.script("draw_harmonisation"),
        regions=study.regions_table,
        participants=ancient(study.clinical_table),
        beside=ancient(study.tables_beside),
        quality=study.covariate_quality(),
        region_voxels=study.covariate_volumes(),
    output:
        png=paths.figure("harmonisation.png"),
        svg=paths.figure("harmonisation.svg"),
    log:
        paths.log("draw_harmonisation"),
    benchmark:
        paths.benchmark("draw_harmonisation")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 10, attempt),
        runtime=10,
    params:
        code=settings.code("draw_harmonisation"),
        settings=settings.slice(*settings.design),
        clinical=clinical.role_values,
        scans=lambda wildcards, input: [
            *option("--quality", *input.quality),
            *option("--region-voxels", *input.region_voxels),
        ],
    message:
        "Drawing the sites before and after harmonising"
    shell:
        "python {input.script:q} --regions {input.regions:q} --participants {input.participants:q} {params.scans:q}"
        " --config <(printf '%s' {params.settings:q}) --output {output.png:q}"
        " 2>&1 | tee {log:q}"


rule draw_recovery:
    input:
        script=settings.script("draw_recovery"),
        recovery=paths.group("recovery.tsv"),
    output:
        png=paths.figure("recovery.png"),
        svg=paths.figure("recovery.svg"),
    log:
        paths.log("draw_recovery"),
    benchmark:
        paths.benchmark("draw_recovery")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 10, attempt),
        runtime=10,
    params:
        code=settings.code("draw_recovery"),
    message:
        "Drawing planted against recovered effects"
    shell:
        "python {input.script:q} --recovery {input.recovery:q} --output {output.png:q}"
        " 2>&1 | tee {log:q}"
