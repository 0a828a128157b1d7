# Maps out again: χ, R2* and the sources of χ in the template's space, with the mask that all scans
# share, for whatever voxelwise program a lab uses. Nothing here is measured.

from qsmiron.study.target_inputs import TargetInputs

targets = TargetInputs(cohort, sources)


rule invert_registration:
    input:
        script=settings.script("invert_registration"),
        coordinates=paths.coordinates,
    output:
        inverse=paths.inverse,
    log:
        paths.log("invert_registration", "{folder}/{entities}"),
    benchmark:
        paths.benchmark("invert_registration", "{folder}/{entities}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(
            input, 60, attempt, at_least=1500
        ),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.code("invert_registration"),
    message:
        "Inverting the registration of {wildcards.entities}"
    shell:
        "python {input.script:q} --coordinates {input.coordinates:q}"
        " --inverse {output.inverse:q}"
        " 2>&1 | tee {log:q}"


rule carry_mask:
    input:
        script=settings.script("carry_mask"),
        mask=paths.reliable_mask,
        inverse=paths.inverse,
    output:
        mask=paths.in_template(paths.reliable_mask),
        sidecar=paths.sidecar(paths.in_template(paths.reliable_mask)),
    log:
        paths.log("carry_mask", "{folder}/{entities}_desc-{desc}"),
    benchmark:
        paths.benchmark("carry_mask", "{folder}/{entities}_desc-{desc}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(
            input, 20, attempt, at_least=1500
        ),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.code("carry_mask"),
    message:
        "Carrying the mask of {wildcards.entities} to the template"
    shell:
        "python {input.script:q} --mask {input.mask:q} --inverse {input.inverse:q}"
        " --target-mask {output.mask:q}"
        " 2>&1 | tee {log:q}"


rule carry_map:
    input:
        script=settings.script("carry_map"),
        map=paths.derivative("{map}.nii.gz"),
        sidecar=paths.derivative("{map}.json"),
        mask=targets.map_mask,
        inverse=paths.inverse,
        target_mask=targets.target_mask,
    output:
        map=paths.in_template(paths.derivative("{map}.nii.gz")),
        sidecar=paths.in_template(paths.derivative("{map}.json")),
    log:
        paths.log("carry_map", "{folder}/{entities}_{map}"),
    benchmark:
        paths.benchmark("carry_map", "{folder}/{entities}_{map}")
    wildcard_constraints:
        map=targets.kinds,
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(
            input, 20, attempt, at_least=1500
        ),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.code("carry_map"),
    message:
        "Carrying {wildcards.map} of {wildcards.entities} to the template"
    shell:
        "python {input.script:q} --map {input.map:q} --mask {input.mask:q}"
        " --inverse {input.inverse:q} --target-mask {input.target_mask:q}"
        " --target-map {output.map:q}"
        " 2>&1 | tee {log:q}"


rule share_mask:
    input:
        script=settings.script("share_mask"),
        masks=targets.masks,
    output:
        mask=paths.shared_mask,
        sidecar=paths.sidecar(paths.shared_mask),
    log:
        paths.log("share_mask", "desc-{desc}"),
    benchmark:
        paths.benchmark("share_mask", "desc-{desc}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(
            input.masks[:1], 60, attempt, at_least=1000
        ),
        runtime=30,
    params:
        code=settings.code("share_mask"),
    message:
        "Finding what every scan covers of the template"
    shell:
        "python {input.script:q} @<(printf '%s\\n' --masks {input.masks:q})"
        " --output {output.mask:q}"
        " 2>&1 | tee {log:q}"
