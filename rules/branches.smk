# The branches of the multiverse: each is one combination of choices before the statistics.
# A branch takes the files of its variant wherever its choices are the same; what is its own lies in
# results/work. Branches that take another reconstruction belong to the target `multiverse` and not
# to the usual run.


use rule remove_background_field as remove_background_field_of_branch with:
    output:
        local_field=paths.local_field,
        local_mask=paths.of_branch(paths.reliable_mask),
        sidecar=paths.sidecar(paths.of_branch(paths.reliable_mask)),
    log:
        paths.log("remove_background_field", "{folder}/{entities}_desc-{desc}_branch"),
    benchmark:
        paths.benchmark(
            "remove_background_field", "{folder}/{entities}_desc-{desc}_branch"
        )
    wildcard_constraints:
        desc=cohort.branch_pattern,


use rule reference_chi as reference_chi_of_branch with:
    output:
        chi=paths.of_branch(paths.chi),
        sidecar=paths.sidecar(paths.of_branch(paths.chi)),
    log:
        paths.log("reference_chi", "{folder}/{entities}_desc-{desc}_branch"),
    benchmark:
        paths.benchmark("reference_chi", "{folder}/{entities}_desc-{desc}_branch")
    wildcard_constraints:
        desc=cohort.branch_pattern,


use rule separate_sources as separate_sources_of_branch with:
    output:
        paramagnetic=paths.of_branch(paths.paramagnetic),
        paramagnetic_sidecar=paths.sidecar(paths.of_branch(paths.paramagnetic)),
        diamagnetic=paths.of_branch(paths.diamagnetic),
        diamagnetic_sidecar=paths.sidecar(paths.of_branch(paths.diamagnetic)),
    log:
        paths.log("separate_sources", "{folder}/{entities}_desc-{desc}_branch"),
    benchmark:
        paths.benchmark("separate_sources", "{folder}/{entities}_desc-{desc}_branch")
    wildcard_constraints:
        desc=cohort.branch_pattern,


use rule count_deposits as count_deposits_of_branches with:
    output:
        deposits=multiverse.deposits(),
    log:
        paths.log("count_deposits", "{folder}/{entities}_{extent}"),
    benchmark:
        paths.benchmark("count_deposits", "{folder}/{entities}_{extent}")


use rule gather_regions as gather_regions_of_branch with:
    input:
        script=settings.script("gather_regions"),
        tables=lambda wildcards: multiverse.gathered(wildcards.desc),
    output:
        table=paths.branch_regions,
        description=paths.branch_regions.replace(".tsv", ".json"),
    log:
        paths.log("gather_regions", "{desc}_branch"),
    benchmark:
        paths.benchmark("gather_regions", "{desc}_branch")
    wildcard_constraints:
        desc=cohort.branch_pattern,
    params:
        code=settings.code("gather_regions"),
        name="regions",
        desc=lambda wildcards: option("--desc", wildcards.desc),
    message:
        "Gathering the regions of the branch {wildcards.desc}"
