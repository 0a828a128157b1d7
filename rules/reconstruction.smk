# Reconstruction: from multi-echo phase and magnitude to referenced susceptibility and R2*.
# The desc- label names the variant: the set of methods that a file comes from.

from qsmiron.study.b0_inputs import B0Inputs
from qsmiron.study.source_inputs import SourceInputs

variant_inputs = cohort.variant_inputs(study)
b0 = B0Inputs(cohort, study.config.acquisition)
sources = SourceInputs(cohort, study)


rule mask_brain:
    input:
        script=settings.script("mask_brain"),
        magnitude=ready.magnitude,
        extent=ready.extent,
        user_mask=cohort.where(variant_inputs.has_user_mask, variant_inputs.user_mask),
        coordinates=variant_inputs.mask_coordinates,
        t1w=variant_inputs.mask_t1w,
        gre_to_t1w=variant_inputs.mask_gre_to_t1w,
    output:
        mask=paths.brain_mask,
        sidecar=paths.sidecar(paths.brain_mask),
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
        code=settings.of_desc(
            lambda desc: settings.code(
                "mask_brain", settings.variant(desc).mask.extractor_module
            )
        ),
        origin=lambda wildcards, input: options(
            input,
            "magnitude",
            "extent",
            "user_mask",
            "coordinates",
            "t1w",
            "gre_to_t1w",
        ),
        extractor=settings.of_desc(settings.mask_options),
    message:
        "Masking the brain of {wildcards.entities}"
    shell:
        "python {input.script:q} {params.origin:q}"
        " {params.extractor:q} --mask {output.mask:q}"
        " 2>&1 | tee {log:q}"


rule map_field:
    input:
        script=settings.script("map_field"),
        phase=cohort.phase,
        phase_sidecars=cohort.phase_sidecars,
        magnitude=cohort.magnitude,
        magnitude_sidecars=cohort.magnitude_sidecars,
        mask=cohort.from_stage("mask", paths.brain_mask),
    output:
        field=paths.total_field,
        noise=paths.field_noise,
        sidecar=paths.sidecar(paths.field_noise),
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
        code=settings.of_desc(
            lambda desc: settings.method_code("map_field", desc, "field_map")
        ),
        units=lambda wildcards: cohort.phase_units(wildcards, study.config.acquisition),
        method=settings.of_desc(lambda desc: settings.method_options(desc, "field_map")),
    message:
        "Mapping the field of {wildcards.entities}"
    shell:
        "python {input.script:q} --phase {input.phase:q} --magnitude {input.magnitude:q}"
        " --mask {input.mask:q} --field {output.field:q} --noise {output.noise:q}"
        " --reliable-mask {output.reliable_mask:q} --phase-units {params.units}"
        " {params.method:q} --threads {threads}"
        " 2>&1 | tee {log:q}"


rule remove_background_field:
    input:
        script=settings.script("remove_background_field"),
        field=cohort.from_stage("field_map", paths.total_field),
        mask=cohort.from_stage("field_map", paths.phase_mask),
        b0_image=b0.image,
    output:
        local_field=paths.local_field,
        local_mask=paths.reliable_mask,
        sidecar=paths.sidecar(paths.reliable_mask),
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
        code=settings.of_desc(
            lambda desc: settings.method_code(
                "remove_background_field", desc, "background_field"
            )
        ),
        method=settings.of_desc(
            lambda desc: settings.method_options(desc, "background_field")
        ),
        b0=lambda wildcards, input: b0.options(wildcards, input.b0_image),
    message:
        "Removing the background field of {wildcards.entities}"
    shell:
        "python {input.script:q} --field {input.field:q} --mask {input.mask:q}"
        " --local-field {output.local_field:q} --local-mask {output.local_mask:q}"
        " {params.b0:q} {params.method:q} --threads {threads}"
        " 2>&1 | tee {log:q}"


rule invert_dipole:
    input:
        script=settings.script("invert_dipole"),
        local_field=cohort.from_stage("background_field", paths.local_field),
        mask=cohort.from_stage("background_field", paths.reliable_mask),
        magnitude=cohort.first_magnitude,
        b0_image=b0.image,
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
        code=settings.of_desc(
            lambda desc: settings.method_code("invert_dipole", desc, "inversion")
        ),
        method=settings.of_desc(lambda desc: settings.method_options(desc, "inversion")),
        b0=lambda wildcards, input: b0.options(wildcards, input.b0_image),
    message:
        "Inverting the dipole field of {wildcards.entities}"
    shell:
        "python {input.script:q} --local-field {input.local_field:q} --mask {input.mask:q}"
        " --magnitude {input.magnitude:q} --chi {output.chi:q}"
        " {params.b0:q} {params.method:q} --threads {threads}"
        " 2>&1 | tee {log:q}"


rule reference_chi:
    input:
        script=settings.script("reference_chi"),
        chi=cohort.from_stage("inversion", paths.chi_unreferenced),
        chi_sidecar=ready.taken_sidecar,
        mask=cohort.from_stage("mask", paths.brain_mask),
        reliable_mask=cohort.from_stage("background_field", paths.reliable_mask),
        r2star=variant_inputs.reference_r2star,
        magnitude=variant_inputs.reference_magnitude,
        labels=cohort.where(
            variant_inputs.has_reference_labels, variant_inputs.reference_labels
        ),
        label_table=cohort.where(
            variant_inputs.has_reference_labels, variant_inputs.reference_label_table
        ),
    output:
        chi=paths.chi,
        sidecar=paths.sidecar(paths.chi),
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
        tissue=lambda wildcards, input: options(
            input, "r2star", "magnitude", "labels", "label_table"
        ),
        # A function: its text may have wildcards of the config (the user's own masks).
        reference=lambda wildcards: ready.reference_options(wildcards, settings),
    message:
        "Referencing the susceptibility of {wildcards.entities}"
    shell:
        "python {input.script:q} --chi {input.chi:q} --mask {input.mask:q}"
        " --reliable-mask {input.reliable_mask:q} --output {output.chi:q}"
        " {params.tissue:q} {params.reference:q}"
        " 2>&1 | tee {log:q}"


rule map_r2star:
    input:
        script=settings.script("map_r2star"),
        magnitude=cohort.magnitude,
        magnitude_sidecars=cohort.magnitude_sidecars,
        mask=paths.brain_mask,
        field=paths.total_field,
        field_mask=paths.phase_mask,
    output:
        r2star=paths.r2star,
        sidecar=paths.sidecar(paths.r2star),
        local_r2star=paths.local_r2star,
        local_sidecar=paths.sidecar(paths.local_r2star),
        error=paths.r2star_error,
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
        code=settings.of_desc(
            lambda desc: settings.method_code("map_r2star", desc, "r2star")
        ),
        method=settings.of_desc(lambda desc: settings.method_options(desc, "r2star")),
    message:
        "Mapping R2* of {wildcards.entities}"
    shell:
        "python {input.script:q} --magnitude {input.magnitude:q} --mask {input.mask:q}"
        " --field {input.field:q} --field-mask {input.field_mask:q}"
        " --r2star {output.r2star:q} --local-r2star {output.local_r2star:q}"
        " --error {output.error:q} {params.method:q}"
        " 2>&1 | tee {log:q}"


# Where R2 is measured by spin echoes; carried to the GRE's grid.
rule map_r2:
    input:
        script=settings.script("map_r2"),
        spin_echo=sources.spin_echo,
        spin_echo_sidecars=sources.spin_echo_sidecars,
        magnitude=cohort.magnitude,
        magnitude_sidecars=cohort.magnitude_sidecars,
        mask=paths.brain_mask,
    output:
        r2=paths.r2,
        sidecar=paths.sidecar(paths.r2),
    log:
        paths.log("map_r2", "{folder}/{entities}_desc-{desc}"),
    benchmark:
        paths.benchmark("map_r2", "{folder}/{entities}_desc-{desc}")
    wildcard_constraints:
        desc=cohort.variant_pattern,
    conda:
        "../envs/qsmiron.yaml"
    threads: study.config.threads.registration
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 60, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.code("map_r2"),
        fit=settings.of_desc(sources.spin_echo_options),
    message:
        "Mapping R2 of {wildcards.entities}"
    shell:
        "python {input.script:q} --spin-echo {input.spin_echo:q} --magnitude {input.magnitude:q}"
        " --mask {input.mask:q} --r2 {output.r2:q} {params.fit:q} --threads {threads}"
        " 2>&1 | tee {log:q}"


# Sources do not depend on the reference of χ: branches with another one take the same.
rule separate_sources:
    input:
        script=settings.script("separate_sources"),
        chi=cohort.from_stage("reference", paths.chi),
        mask=cohort.from_stage("background_field", paths.reliable_mask),
        r2star=cohort.from_stage("r2star", paths.local_r2star),
        r2star_error=cohort.from_stage("r2star", paths.r2star_error),
        magnitude=cohort.first_magnitude,
        magnitude_sidecars=cohort.first_magnitude_sidecars,
        r2=sources.r2,
    output:
        paramagnetic=paths.paramagnetic,
        paramagnetic_sidecar=paths.sidecar(paths.paramagnetic),
        diamagnetic=paths.diamagnetic,
        diamagnetic_sidecar=paths.sidecar(paths.diamagnetic),
    log:
        paths.log("separate_sources", "{folder}/{entities}_desc-{desc}"),
    benchmark:
        paths.benchmark("separate_sources", "{folder}/{entities}_desc-{desc}")
    wildcard_constraints:
        desc=cohort.variant_pattern,
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 60, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.of_desc(
            lambda desc: settings.method_code("separate_sources", desc, "sources")
        ),
        r2=lambda wildcards, input: options(input, "r2"),
        method=settings.of_desc(sources.options),
    message:
        "Separating iron from myelin in {wildcards.entities}"
    shell:
        "python {input.script:q} --chi {input.chi:q} --r2star {input.r2star:q}"
        " --r2star-error {input.r2star_error:q} --mask {input.mask:q}"
        " --magnitude {input.magnitude:q} {params.r2:q} {params.method:q}"
        " --paramagnetic {output.paramagnetic:q} --diamagnetic {output.diamagnetic:q}"
        " 2>&1 | tee {log:q}"
