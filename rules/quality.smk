# Quality: one picture per scan, and a table of what was measured of each.


rule draw_subject:
    input:
        script=settings.script("draw_subject"),
        chi=paths.chi,
        magnitude=ready.first_magnitude,
        brain_mask=paths.brain_mask,
        reliable_mask=paths.reliable_mask,
        r2star=cohort.r2star,
        paramagnetic=sources.paramagnetic,
        diamagnetic=sources.diamagnetic,
        field=ready.local_field,
        labels=cohort.first_labels,
        label_table=cohort.first_label_table,
        t1w=cohort.t1w,
        gre_to_t1w=cohort.gre_to_t1w,
        coordinates=cohort.coordinates,
    output:
        png=paths.quality_picture,
    log:
        paths.log("draw_subject", "{folder}/{entities}_desc-{desc}"),
    benchmark:
        paths.benchmark("draw_subject", "{folder}/{entities}_desc-{desc}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 20, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.code("draw_subject"),
        images=lambda wildcards, input: options(
            input,
            "magnitude",
            "field",
            "r2star",
            "paramagnetic",
            "diamagnetic",
            "labels",
            "label_table",
            "t1w",
            "gre_to_t1w",
            "coordinates",
        ),
    message:
        "Drawing the quality picture of {wildcards.entities}"
    shell:
        "python {input.script:q} --chi {input.chi:q}"
        " --brain-mask {input.brain_mask:q} --reliable-mask {input.reliable_mask:q}"
        " {params.images:q} --participant {wildcards.entities}"
        " --output {output.png:q}"
        " 2>&1 | tee {log:q}"


rule draw_chi_maps:
    input:
        script=settings.script("draw_chi_maps"),
        chi=lambda wildcards: cohort.example(paths.chi),
        labels=lambda wildcards: cohort.example(paths.labels),
        label_table=study.label_table(cohort.first_atlas),
    output:
        png=paths.figure("chi_maps.png"),
        svg=paths.figure("chi_maps.svg"),
    log:
        paths.log("draw_chi_maps"),
    benchmark:
        paths.benchmark("draw_chi_maps")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 20, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.code("draw_chi_maps"),
        participant=cohort.example_participant,
    message:
        "Drawing a susceptibility map with its regions"
    shell:
        "python {input.script:q} --chi {input.chi:q} --labels {input.labels:q}"
        " --label-table {input.label_table:q} --participant {params.participant:q}"
        " --output {output.png:q}"
        " 2>&1 | tee {log:q}"


rule gather_quality:
    input:
        script=settings.script("gather_quality"),
        maps=cohort.every_scan(
            paths.brain_mask,
            paths.reliable_mask,
            *map(paths.sidecar, (paths.chi, paths.reliable_mask)),
        )
        + cohort.every_scan_with_phase(
            paths.field_noise, paths.sidecar(paths.field_noise)
        ),
        registration=cohort.every_registered_scan(paths.registration_quality),
        sidecars=cohort.first_sidecars,
        regions=paths.group("regions.tsv"),
        region_voxels=paths.group("region_voxels.tsv"),
        failures=study.failure_files,
    output:
        table=paths.group("quality.tsv"),
        description=paths.group("quality.json"),
    log:
        paths.log("gather_quality"),
    benchmark:
        paths.benchmark("gather_quality")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(
            [*input.maps[:1], input.regions, input.region_voxels], 10, attempt
        ),
        runtime=30,
    params:
        code=settings.code("gather_quality"),
        scans=cohort.scan_names,
        without_phase=option(
            "--without-phase", *(s.folder for s in study.without_phase)
        ),
        results=lambda wildcards: paths.root,
        variants=list(study.config.variants),
        failures=lambda wildcards, input: option("--failures", *input.failures),
    message:
        "Gathering quality.tsv of the cohort"
    shell:
        "python {input.script:q}"
        " @<(printf '%s\\n' --scans {params.scans:q} {params.without_phase:q})"
        " --results {params.results:q} --desc {params.variants:q} --regions {input.regions:q}"
        " --region-voxels {input.region_voxels:q} {params.failures:q} --output {output.table:q}"
        " 2>&1 | tee {log:q}"
