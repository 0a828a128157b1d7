# Registration: T1w ↔ template and T1w ↔ GRE in one job (importing ANTs costs more than many a job),
# then labels of any atlas or segmentation on the GRE grid, each in one interpolation.

from qsmiron.study.registration_inputs import RegistrationInputs
from qsmiron.study.visit_inputs import VisitInputs

visits = VisitInputs(cohort)
registration = RegistrationInputs(cohort)


rule register_subject:
    input:
        script=settings.script("register_subject"),
        t1w=cohort.t1w,
        magnitude=cohort.magnitude,
        # of a ready map; its values do not matter here
        grid=ancient(ready.chi),
    output:
        coordinates=paths.coordinates,
        gre_to_t1w=paths.gre_to_t1w,
        tissues=paths.tissues,
        quality=paths.registration_quality,
    log:
        paths.log("register_subject", "{folder}/{entities}"),
    benchmark:
        paths.benchmark("register_subject", "{folder}/{entities}")
    wildcard_constraints:
        entities=registration.by_own_t1w(ENTITIES),
    conda:
        "../envs/qsmiron.yaml"
    threads: study.config.threads.registration
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 60, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.code("register_subject"),
        parameters=study.config.registration.parameters_json,
        gre=lambda wildcards, input: options(input, "magnitude", "grid"),
        placed=ready.grid_digest if ready.any else "",
    message:
        "Registering the template to {wildcards.entities}"
    shell:
        "python {input.script:q} --t1w {input.t1w:q} {params.gre:q}"
        " --coordinates {output.coordinates:q} --gre-to-t1w {output.gre_to_t1w:q}"
        " --tissues {output.tissues:q} --quality {output.quality:q}"
        " --parameters {params.parameters:q} --threads {threads}"
        " 2>&1 | tee {log:q}"


# By what the reconstruction made of the scan, whose mask is then of the magnitude alone.
rule register_without_t1w:
    input:
        script=settings.script("register_without_t1w"),
        chi=registration.chi,
        r2star=registration.r2star,
        mask=registration.mask,
    output:
        coordinates=paths.coordinates,
        gre_to_t1w=paths.gre_to_t1w,
        tissues=paths.tissues,
        quality=paths.registration_quality,
    log:
        paths.log("register_without_t1w", "{folder}/{entities}"),
    benchmark:
        paths.benchmark("register_without_t1w", "{folder}/{entities}")
    wildcard_constraints:
        entities=registration.without_t1w,
    conda:
        "../envs/qsmiron.yaml"
    threads: study.config.threads.registration
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 100, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.code("register_without_t1w"),
        parameters=study.config.registration.parameters_json,
        hybrid=study.config.registration.hybrid.model_dump_json(),
    message:
        "Registering the template to {wildcards.entities}, which has no T1w"
    shell:
        "python {input.script:q} --chi {input.chi:q} --r2star {input.r2star:q}"
        " --mask {input.mask:q}"
        " --coordinates {output.coordinates:q} --gre-to-t1w {output.gre_to_t1w:q}"
        " --tissues {output.tissues:q} --quality {output.quality:q}"
        " --parameters {params.parameters:q} --hybrid {params.hybrid:q} --threads {threads}"
        " 2>&1 | tee {log:q}"


# Once for the study, for each atlas that belongs to another template.
rule register_template:
    input:
        script=settings.script("register_template"),
        template=lambda wildcards: cohort.label_sources.template(wildcards.atlas),
    output:
        template_map=paths.template_map,
    log:
        paths.log("register_template", "{atlas}"),
    benchmark:
        paths.benchmark("register_template", "{atlas}")
    conda:
        "../envs/qsmiron.yaml"
    threads: study.config.threads.registration
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(
            input, 60, attempt, at_least=3000
        ),
        runtime=30,
    params:
        code=settings.code("register_template"),
        parameters=study.config.registration.parameters_json,
    message:
        "Registering the template of {wildcards.atlas} to the default one"
    shell:
        "python {input.script:q} --template {input.template:q}"
        " --template-map {output.template_map:q} --parameters {params.parameters:q}"
        " --threads {threads}"
        " 2>&1 | tee {log:q}"


rule carry_labels:
    input:
        script=settings.script("carry_labels"),
        sources=cohort.label_files,
        label_table=lambda wildcards: study.label_table(wildcards.atlas),
    output:
        labels=paths.labels,
        table=paths.label_table,
        sidecar=paths.sidecar(paths.labels),
        weights=[paths.label_weights] if settings.any_weighs_voxels else [],
    log:
        paths.log("carry_labels", "{folder}/{entities}_atlas-{atlas}"),
    benchmark:
        paths.benchmark("carry_labels", "{folder}/{entities}_atlas-{atlas}")
    wildcard_constraints:
        atlas=cohort.label_sources.image_pattern,
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 20, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.code("carry_labels"),
        sources=cohort.label_arguments,
        weights=(
            option("--weights", paths.label_weights)
            if settings.any_weighs_voxels
            else []
        ),
    message:
        "Carrying {wildcards.atlas} labels to {wildcards.entities}"
    shell:
        "python {input.script:q} {params.sources:q} --label-table {input.label_table:q}"
        " --labels {output.labels:q} {params.weights:q}"
        " 2>&1 | tee {log:q}"


rule label_tissues:
    input:
        script=settings.script("label_tissues"),
        tissues=paths.tissues,
        registration=paths.registration_quality,
        label_table=lambda wildcards: study.label_table(wildcards.atlas),
    output:
        labels=paths.labels,
        table=paths.label_table,
        sidecar=paths.sidecar(paths.labels),
        weights=[paths.label_weights] if settings.any_weighs_voxels else [],
    log:
        paths.log("label_tissues", "{folder}/{entities}_atlas-{atlas}"),
    benchmark:
        paths.benchmark("label_tissues", "{folder}/{entities}_atlas-{atlas}")
    wildcard_constraints:
        atlas=cohort.label_sources.tissues_pattern,
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 20, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.code("label_tissues"),
        weights=(
            option("--weights", paths.label_weights)
            if settings.any_weighs_voxels
            else []
        ),
    message:
        "Labelling the tissues of {wildcards.entities}"
    shell:
        "python {input.script:q} --tissues {input.tissues:q} --registration {input.registration:q}"
        " --label-table {input.label_table:q} --labels {output.labels:q} {params.weights:q}"
        " 2>&1 | tee {log:q}"
