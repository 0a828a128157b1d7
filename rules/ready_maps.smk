# Ready maps: χ and R2* that were made elsewhere, taken where the rules of reconstruction would make
# them. Of a scan that has them these rules go before those, and all that comes after is the same.

from qsmiron.study.ready_inputs import ReadyInputs

ready = ReadyInputs(cohort)


rule take_chi:
    input:
        script=settings.script("take_chi"),
        chi=ready.chi,
        sidecars=ready.chi_sidecars,
    output:
        chi=paths.chi_unreferenced,
        sidecar=paths.sidecar(paths.chi_unreferenced),
        mask=paths.reliable_mask,
        mask_sidecar=paths.sidecar(paths.reliable_mask),
    log:
        paths.log("take_chi", "{folder}/{entities}_desc-{desc}"),
    benchmark:
        paths.benchmark("take_chi", "{folder}/{entities}_desc-{desc}")
    wildcard_constraints:
        entities=ready.scans,
        desc=cohort.variant_pattern,
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 30, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.code("take_chi"),
        settings=study.config.maps.values_json,
    message:
        "Taking the susceptibility map of {wildcards.entities}"
    shell:
        "python {input.script:q} --map {input.chi:q} --chi {output.chi:q}"
        " --mask {output.mask:q} --settings {params.settings:q}"
        " 2>&1 | tee {log:q}"


rule take_r2star:
    input:
        script=settings.script("take_r2star"),
        r2star=ready.r2star,
        sidecars=ready.r2star_sidecars,
        chi=ready.chi,
    output:
        r2star=paths.r2star,
        sidecar=paths.sidecar(paths.r2star),
    log:
        paths.log("take_r2star", "{folder}/{entities}_desc-{desc}"),
    benchmark:
        paths.benchmark("take_r2star", "{folder}/{entities}_desc-{desc}")
    wildcard_constraints:
        entities=ready.scans,
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 30, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.code("take_r2star"),
        settings=study.config.maps.values_json,
    message:
        "Taking the R2* map of {wildcards.entities}"
    shell:
        "python {input.script:q} --map {input.r2star:q} --chi {input.chi:q}"
        " --r2star {output.r2star:q} --settings {params.settings:q}"
        " 2>&1 | tee {log:q}"


# Of the first echo, which has most signal; T1w and echoes are registered on their own grids.
rule grid_magnitude:
    input:
        script=settings.script("grid_magnitude"),
        magnitude=lambda wildcards: cohort.magnitude(wildcards)[:1],
        chi=ready.chi,
    output:
        magnitude=paths.gridded_magnitude,
    log:
        paths.log("grid_magnitude", "{folder}/{entities}"),
    benchmark:
        paths.benchmark("grid_magnitude", "{folder}/{entities}")
    wildcard_constraints:
        entities=ready.scans,
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 30, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.code("grid_magnitude"),
    message:
        "Bringing the magnitude of {wildcards.entities} to the grid of its map"
    shell:
        "python {input.script:q} --magnitude {input.magnitude:q} --map {input.chi:q}"
        " --output {output.magnitude:q}"
        " 2>&1 | tee {log:q}"


ruleorder: take_chi > invert_dipole
ruleorder: take_chi > remove_background_field
ruleorder: take_r2star > map_r2star
