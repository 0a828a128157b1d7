# Figures of the cohort, the methods text and the report.

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


rule describe_results:
    input:
        script=settings.script("describe_results"),
    output:
        description=f"{paths.root}/dataset_description.json",
        ignore=f"{paths.root}/.bidsignore",
    log:
        paths.log("describe_results"),
    benchmark:
        paths.benchmark("describe_results")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        code=settings.code("describe_results"),
        results=lambda wildcards: paths.root,
        source=study.bids_dir,
    message:
        "Describing the results as a BIDS derivative"
    shell:
        "python {input.script:q} --results {params.results:q} --source {params.source:q}"
        " 2>&1 | tee {log:q}"


rule write_methods:
    input:
        script=settings.script("write_methods"),
        quality=study.quality_tables,
        regions=study.regions_table,
        sidecars=cohort.example_sidecars,
        magnitude=cohort.example_magnitude,
    output:
        methods=f"{paths.root}/methods.md",
        preregistration=f"{paths.root}/preregistration.md",
    log:
        paths.log("write_methods"),
    benchmark:
        paths.benchmark("write_methods")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 10, attempt),
        runtime=5,
    params:
        code=settings.code("write_methods", *settings.method_modules),
        settings=settings.whole_config,
        quality=lambda wildcards, input: option("--quality", *input.quality),
        distributions=["--whole-distribution"] if study.quantiles_tables else [],
        change=["--change"] if change.is_measured else [],
        echoes=option("--sidecar", *cohort.example_echoes),
    message:
        "Writing the methods text"
    shell:
        "python {input.script:q} --config <(printf '%s' {params.settings:q})"
        " {params.quality:q} --regions {input.regions:q} {params.distributions:q} {params.change:q}"
        " {params.echoes:q} --output {output.methods:q}"
        " --preregistration {output.preregistration:q}"
        " 2>&1 | tee {log:q}"


rule write_report:
    input:
        script=settings.script("write_report"),
        templates=settings.report_templates,
        methods=rules.write_methods.output,
        regions=study.regions_table,
        participants=rules.assign_groups.output.participants,
        tests=paths.group("group_tests.tsv"),
        correlations=paths.group("correlations.tsv"),
        calibration=paths.group("calibration_tests.tsv"),
        deviations=study.deviations,
        models=paths.group("model_tests.tsv") if study.config.models else [],
        change=change.results,
        null_rates=rules.estimate_null_rates.output.table,
        planning=rules.plan_sample_size.output.table,
        harmonisation=(
            [paths.figure("harmonisation.png")]
            if study.config.statistics.harmonisation != "none"
            else []
        ),
        headlines=multiverse.shown + multiverse.influence,
        forests=multiverse.every_outcome(paths.figure("forest_{outcome}.png")),
        figures=study.every_contrast(paths.figure("distributions_{contrast}.png"))
        + study.every_contrast(paths.figure("effects_{contrast}.png"))
        + study.every_score(paths.figure("correlations_{score}.png")),
        images=(
            [
                paths.group("quality.tsv"),
                *cohort.every_scan(paths.quality_picture),
                *cohort.with_labels(paths.figure("chi_maps.png")),
            ]
            if study.has_images
            else []
        ),
        quantiles=(
            study.every_contrast(paths.figure("quantiles_{contrast}.png"))
            if study.quantiles_tables
            else []
        ),
        recovery=(
            [paths.group("recovery.tsv"), paths.figure("recovery.png")]
            if study.is_demo and study.has_images
            else []
        ),
        viewer=viewer.files,
    output:
        report=f"{paths.root}/report.html",
    log:
        paths.log("write_report"),
    benchmark:
        paths.benchmark("write_report")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 10, attempt),
        runtime=15,
    params:
        code=settings.code("write_report"),
        results=lambda wildcards: paths.root,
        settings=settings.whole_config,
        viewer=viewer.arguments,
    message:
        "Writing the report"
    shell:
        "python {input.script:q} --results {params.results:q}"
        " --config <(printf '%s' {params.settings:q}) {params.viewer:q}"
        " --output {output.report:q}"
        " 2>&1 | tee {log:q}"
