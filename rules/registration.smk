# Registration: T1w ↔ template and T1w ↔ GRE in one job (importing ANTs costs more than many a job),
# then labels of any atlas on the GRE grid, each in one interpolation.


rule register_subject:
    input:
        script=settings.script("register_subject"),
        t1w=cohort.t1w,
        magnitude=cohort.magnitude,
    output:
        coordinates=paths.coordinates,
        quality=paths.registration_quality,
    log:
        paths.log("register_subject", "{folder}/{entities}"),
    benchmark:
        paths.benchmark("register_subject", "{folder}/{entities}")
    conda:
        "../envs/qsmiron.yaml"
    threads: study.config.threads.registration
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input.size_mb, 60, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input.size_mb, attempt),
    params:
        code=settings.code("register_subject"),
        parameters=study.config.registration.parameters_json,
    message:
        "Registering the template to {wildcards.entities}"
    shell:
        "python {input.script:q} --t1w {input.t1w:q} --magnitude {input.magnitude:q}"
        " --coordinates {output.coordinates:q} --quality {output.quality:q}"
        " --parameters {params.parameters:q} --threads {threads}"
        " 2>&1 | tee {log:q}"


rule carry_labels:
    input:
        script=settings.script("carry_labels"),
        coordinates=paths.coordinates,
        atlas=lambda wildcards: study.atlas_image(wildcards.atlas),
        label_table=lambda wildcards: study.label_table(wildcards.atlas),
    output:
        labels=paths.labels,
        table=paths.labels.replace(".nii.gz", ".tsv"),
        sidecar=paths.labels.replace(".nii.gz", ".json"),
    log:
        paths.log("carry_labels", "{folder}/{entities}_atlas-{atlas}"),
    benchmark:
        paths.benchmark("carry_labels", "{folder}/{entities}_atlas-{atlas}")
    conda:
        "../envs/qsmiron.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input.size_mb, 20, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input.size_mb, attempt),
    params:
        code=settings.code("carry_labels"),
    message:
        "Carrying {wildcards.atlas} labels to {wildcards.entities}"
    shell:
        "python {input.script:q} --coordinates {input.coordinates:q} --atlas {input.atlas:q}"
        " --label-table {input.label_table:q} --labels {output.labels:q}"
        " 2>&1 | tee {log:q}"
