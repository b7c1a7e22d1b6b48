# The workflow is workflow/Snakefile; this file is here for those who name it.
include: "workflow/Snakefile"


# An included file does not set the default target, which in another workflow has a prefix.
workflow.default_target = workflow.modifier.modify_rulename("all")
