"""From a configuration to the cells of its studies, and what the outputs of each depend on."""
