# Reconstruction: from multi-echo phase and magnitude to referenced susceptibility and R2*.
# The desc- label names the variant: the set of methods that a file comes from.


rule mask_brain:
    input:
        script=settings.script("mask_brain"),
        magnitude=cohort.magnitude,
        user_mask=cohort.variant_inputs(study).user_mask,
        coordinates=cohort.variant_inputs(study).mask_coordinates,
    output:
        mask=paths.brain_mask,
        sidecar=paths.brain_mask.replace(".nii.gz", ".json"),
    log:
        paths.log("mask_brain", "{folder}/{entities}_desc-{desc}"),
    benchmark:
        paths.benchmark("mask_brain", "{folder}/{entities}_desc-{desc}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 30, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=lambda wildcards: settings.code(
            "mask_brain", settings.variant(wildcards.desc).mask.extractor_module
        ),
        user_mask=lambda wildcards, input: option("--user-mask", *input.user_mask),
        coordinates=lambda wildcards, input: option("--coordinates", *input.coordinates),
        extractor=lambda wildcards: settings.variant(wildcards.desc).mask.extractor,
        parameters=lambda wildcards: settings.step(
            wildcards.desc, "mask"
        ).parameters_json,
    message:
        "Masking the brain of {wildcards.entities}"
    shell:
        "python {input.script:q} --magnitude {input.magnitude:q} {params.user_mask:q}"
        " {params.coordinates:q} --extractor {params.extractor:q}"
        " --mask {output.mask:q} --parameters {params.parameters:q}"
        " 2>&1 | tee {log:q}"


rule map_field:
    input:
        script=settings.script("map_field"),
        phase=cohort.phase,
        phase_sidecars=cohort.phase_sidecars,
        magnitude=cohort.magnitude,
        mask=cohort.from_stage("mask", paths.brain_mask),
    output:
        field=paths.total_field,
        noise=paths.field_noise,
        reliable_mask=paths.phase_mask,
    log:
        paths.log("map_field", "{folder}/{entities}_desc-{desc}"),
    benchmark:
        paths.benchmark("map_field", "{folder}/{entities}_desc-{desc}")
    conda:
        "../envs/qsmiron.yaml"
    threads: study.config.threads.reconstruction
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 40, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=lambda wildcards: settings.method_code(
            "map_field", wildcards.desc, "field_map"
        ),
        units=lambda wildcards: cohort.phase_units(
            wildcards, study.config.acquisition.phase_units
        ),
        method=lambda wildcards: settings.step(wildcards.desc, "field_map").method,
        parameters=lambda wildcards: settings.step(
            wildcards.desc, "field_map"
        ).parameters_json,
    message:
        "Mapping the field of {wildcards.entities}"
    shell:
        "python {input.script:q} --phase {input.phase:q} --magnitude {input.magnitude:q}"
        " --mask {input.mask:q} --field {output.field:q} --noise {output.noise:q}"
        " --reliable-mask {output.reliable_mask:q} --phase-units {params.units}"
        " --method {params.method:q} --parameters {params.parameters:q} --threads {threads}"
        " 2>&1 | tee {log:q}"


rule remove_background_field:
    input:
        script=settings.script("remove_background_field"),
        field=cohort.from_stage("field_map", paths.total_field),
        mask=cohort.from_stage("field_map", paths.phase_mask),
    output:
        local_field=paths.local_field,
        local_mask=paths.reliable_mask,
        sidecar=paths.reliable_mask.replace(".nii.gz", ".json"),
    log:
        paths.log("remove_background_field", "{folder}/{entities}_desc-{desc}"),
    benchmark:
        paths.benchmark("remove_background_field", "{folder}/{entities}_desc-{desc}")
    wildcard_constraints:
        desc=cohort.variant_pattern,
    conda:
        "../envs/qsmiron.yaml"
    threads: study.config.threads.reconstruction
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 120, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=lambda wildcards: settings.method_code(
            "remove_background_field", wildcards.desc, "background_field"
        ),
        method=lambda wildcards: settings.step(
            wildcards.desc, "background_field"
        ).method,
        parameters=lambda wildcards: settings.step(
            wildcards.desc, "background_field"
        ).parameters_json,
    message:
        "Removing the background field of {wildcards.entities}"
    shell:
        "python {input.script:q} --field {input.field:q} --mask {input.mask:q}"
        " --local-field {output.local_field:q} --local-mask {output.local_mask:q}"
        " --method {params.method:q} --parameters {params.parameters:q} --threads {threads}"
        " 2>&1 | tee {log:q}"


rule invert_dipole:
    input:
        script=settings.script("invert_dipole"),
        local_field=cohort.from_stage("background_field", paths.local_field),
        mask=cohort.from_stage("background_field", paths.reliable_mask),
        magnitude=cohort.first_magnitude,
    output:
        chi=paths.chi_unreferenced,
    log:
        paths.log("invert_dipole", "{folder}/{entities}_desc-{desc}"),
    benchmark:
        paths.benchmark("invert_dipole", "{folder}/{entities}_desc-{desc}")
    conda:
        "../envs/qsmiron.yaml"
    threads: study.config.threads.reconstruction
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 150, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=lambda wildcards: settings.method_code(
            "invert_dipole", wildcards.desc, "inversion"
        ),
        method=lambda wildcards: settings.step(wildcards.desc, "inversion").method,
        parameters=lambda wildcards: settings.step(
            wildcards.desc, "inversion"
        ).parameters_json,
    message:
        "Inverting the dipole field of {wildcards.entities}"
    shell:
        "python {input.script:q} --local-field {input.local_field:q} --mask {input.mask:q}"
        " --magnitude {input.magnitude:q} --chi {output.chi:q}"
        " --method {params.method:q} --parameters {params.parameters:q} --threads {threads}"
        " 2>&1 | tee {log:q}"


rule reference_chi:
    input:
        script=settings.script("reference_chi"),
        chi=cohort.from_stage("inversion", paths.chi_unreferenced),
        mask=cohort.from_stage("mask", paths.brain_mask),
        reliable_mask=cohort.from_stage("background_field", paths.reliable_mask),
        r2star=cohort.variant_inputs(study).reference_r2star,
        magnitude=cohort.variant_inputs(study).reference_magnitude,
        labels=cohort.variant_inputs(study).reference_labels,
        label_table=cohort.variant_inputs(study).reference_label_table,
    output:
        chi=paths.chi,
        sidecar=paths.chi.replace(".nii.gz", ".json"),
    log:
        paths.log("reference_chi", "{folder}/{entities}_desc-{desc}"),
    benchmark:
        paths.benchmark("reference_chi", "{folder}/{entities}_desc-{desc}")
    wildcard_constraints:
        desc=cohort.variant_pattern,
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 30, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.code("reference_chi"),
        region=lambda wildcards: settings.variant(wildcards.desc).reference.region,
        r2star=lambda wildcards, input: option("--r2star", *input.r2star),
        magnitude=lambda wildcards, input: option("--magnitude", *input.magnitude),
        labels=lambda wildcards, input: option("--labels", *input.labels),
        label_table=lambda wildcards, input: option("--label-table", *input.label_table),
        algorithm=lambda wildcards: settings.algorithm(wildcards.desc),
    message:
        "Referencing the susceptibility of {wildcards.entities}"
    shell:
        "python {input.script:q} --chi {input.chi:q} --mask {input.mask:q}"
        " --reliable-mask {input.reliable_mask:q} --output {output.chi:q}"
        " --region {params.region:q} {params.r2star:q} {params.magnitude:q} {params.labels:q}"
        " {params.label_table:q} --algorithm {params.algorithm:q}"
        " 2>&1 | tee {log:q}"


rule map_r2star:
    input:
        script=settings.script("map_r2star"),
        magnitude=cohort.magnitude,
        mask=paths.brain_mask,
    output:
        r2star=paths.r2star,
        sidecar=paths.r2star.replace(".nii.gz", ".json"),
    log:
        paths.log("map_r2star", "{folder}/{entities}_desc-{desc}"),
    benchmark:
        paths.benchmark("map_r2star", "{folder}/{entities}_desc-{desc}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 40, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=lambda wildcards: settings.method_code(
            "map_r2star", wildcards.desc, "r2star"
        ),
        method=lambda wildcards: settings.step(wildcards.desc, "r2star").method,
        parameters=lambda wildcards: settings.step(
            wildcards.desc, "r2star"
        ).parameters_json,
    message:
        "Mapping R2* of {wildcards.entities}"
    shell:
        "python {input.script:q} --magnitude {input.magnitude:q} --mask {input.mask:q}"
        " --r2star {output.r2star:q} --method {params.method:q}"
        " --parameters {params.parameters:q}"
        " 2>&1 | tee {log:q}"
