# Participants with several visits: one template within the participant, halfway between all T1w, is
# registered with the study's; each visit adds rigid maps alone (qsmiron.registration.visit).


rule average_visits:
    input:
        script=settings.script("average_visits"),
        t1w=visits.t1w,
    output:
        mean=paths.mean_t1w,
        image=paths.head_image,
        tissues=paths.head_tissues,
        displacement=paths.head_displacement,
        maps=paths.visit_maps,
    log:
        paths.log("average_visits", "sub-{subject}"),
    benchmark:
        paths.benchmark("average_visits", "sub-{subject}")
    conda:
        "../envs/qsmiron.yaml"
    threads: study.config.threads.registration
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 60, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.code("average_visits"),
        visits=visits.labels,
        parameters=study.config.registration.parameters_json,
    message:
        "Averaging the visits of sub-{wildcards.subject} and registering the template with them"
    shell:
        "python {input.script:q} --t1w {input.t1w:q} --visits {params.visits:q}"
        " --mean {output.mean:q} --image {output.image:q} --tissues {output.tissues:q}"
        " --displacement {output.displacement:q} --maps {output.maps:q}"
        " --parameters {params.parameters:q} --threads {threads}"
        " 2>&1 | tee {log:q}"


rule register_visit:
    input:
        unpack(visits.of_head),
        script=settings.script("register_visit"),
        t1w=visits.own_t1w,
        magnitude=cohort.magnitude,
        # of a ready map; its values do not matter here
        grid=ancient(ready.chi),
    output:
        coordinates=paths.coordinates,
        gre_to_t1w=paths.gre_to_t1w,
        tissues=paths.tissues,
        quality=paths.registration_quality,
    log:
        paths.log("register_visit", "{folder}/{entities}"),
    benchmark:
        paths.benchmark("register_visit", "{folder}/{entities}")
    wildcard_constraints:
        entities=visits.scans,
    conda:
        "../envs/qsmiron.yaml"
    threads: study.config.threads.registration
    resources:
        mem_mb=lambda wildcards, input, attempt: memory(input, 60, attempt),
        runtime=lambda wildcards, input, attempt: minutes(input, attempt),
    params:
        code=settings.code("register_visit"),
        visit=visits.label,
        images=lambda wildcards, input: options(input, "t1w", "magnitude", "grid"),
        placed=ready.grid_digest if ready.any else "",
        parameters=study.config.registration.parameters_json,
    message:
        "Registering {wildcards.entities} with the mean of its participant's visits"
    shell:
        "python {input.script:q} --image {input.image:q}"
        " --tissues-of-head {input.tissues_of_head:q} --displacement {input.displacement:q}"
        " --maps {input.maps:q} --visit {params.visit:q} {params.images:q}"
        " --coordinates {output.coordinates:q}"
        " --gre-to-t1w {output.gre_to_t1w:q} --tissues {output.tissues:q}"
        " --quality {output.quality:q} --parameters {params.parameters:q} --threads {threads}"
        " 2>&1 | tee {log:q}"
