# The report's slice viewer: χ carried to the template and averaged over the participants. It is a
# picture; what is measured comes from each scan's own grid, where no χ is ever resampled.

from qsmiron.study.viewer_inputs import ViewerInputs

viewer = ViewerInputs(cohort)


rule carry_chi:
    input:
        script=settings.script("carry_chi"),
        chi=viewer.paths.chi,
        mask=viewer.paths.reliable_mask,
        coordinates=paths.coordinates,
    output:
        template_chi=viewer.paths.template_chi,
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
    message:
        "Carrying χ of {wildcards.entities} to the template, for a picture"
    shell:
        "python {input.script:q} --chi {input.chi:q} --mask {input.mask:q}"
        " --coordinates {input.coordinates:q} --template-chi {output.template_chi:q}"
        " 2>&1 | tee {log:q}"


rule average_chi:
    input:
        script=settings.script("average_chi"),
        maps=viewer.maps,
    output:
        mean=viewer.paths.mean_chi,
        sidecar=viewer.mean_sidecar,
        number=viewer.paths.chi_count,
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
