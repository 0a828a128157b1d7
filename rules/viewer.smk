# The report's slice viewer: χ, χ⁺ and χ⁻ carried to the template and averaged over the participants. It is a
# picture; what is measured comes from each scan's own grid, where no χ is ever resampled.

from qsmiron.study.viewer_inputs import ViewerInputs

viewer = ViewerInputs(cohort, sources if study.has_images else None)


rule carry_chi:
    input:
        script=settings.script("carry_chi"),
        chi=viewer.paths.chi,
        sources=viewer.source_files if viewer.signs else [],
        mask=viewer.paths.reliable_mask,
        coordinates=paths.coordinates,
    output:
        template_chi=viewer.paths.template_chi,
        template_sources=viewer.template_sources,
    log:
        paths.log("carry_chi", "{folder}/{entities}"),
    benchmark:
        paths.benchmark("carry_chi", "{folder}/{entities}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 20, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.code("carry_chi"),
        sources=lambda wildcards, output: (
            viewer.carried_options(wildcards, output.template_sources)
            if viewer.signs
            else []
        ),
    message:
        "Carrying χ of {wildcards.entities} to the template, for a picture"
    shell:
        "python {input.script:q} --chi {input.chi:q} --mask {input.mask:q}"
        " --coordinates {input.coordinates:q} --template-chi {output.template_chi:q}"
        " {params.sources:q}"
        " 2>&1 | tee {log:q}"


rule average_chi:
    input:
        script=settings.script("average_chi"),
        maps=viewer.maps,
    output:
        mean=viewer.paths.mean_chi,
        sidecar=viewer.mean_sidecar,
        number=viewer.paths.count_of(viewer.paths.mean_chi),
    log:
        paths.log("average_chi"),
    benchmark:
        paths.benchmark("average_chi")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input.maps[:1], 100, attempt),
        runtime=30,
    params:
        code=settings.code("average_chi"),
    message:
        "Averaging χ over the participants"
    shell:
        "python {input.script:q} @<(printf '%s\\n' --maps {input.maps:q})"
        " --mean {output.mean:q} --count {output.number:q}"
        " 2>&1 | tee {log:q}"


if viewer.signs:

    use rule average_chi as average_sources with:
        input:
            script=settings.script("average_chi"),
            maps=lambda wildcards: viewer.source_maps(wildcards.sign),
        output:
            mean=viewer.paths.mean_source("{sign}"),
            sidecar=viewer.paths.sidecar(viewer.paths.mean_source("{sign}")),
            number=viewer.paths.count_of(viewer.paths.mean_source("{sign}")),
        log:
            paths.log("average_chi", "label-{sign}"),
        benchmark:
            paths.benchmark("average_chi", "label-{sign}")
        wildcard_constraints:
            sign="|".join(viewer.signs),
        message:
            "Averaging χ of {wildcards.sign} sources over the participants"
