# What describes the results: their columns, the methods text and the report.

from qsmiron.study.protocol_inputs import ProtocolInputs

protocol = ProtocolInputs(cohort)


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
        sidecars=protocol.sidecars,
        magnitude=protocol.magnitude,
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
        echoes=option("--sidecar", *protocol.echoes),
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
