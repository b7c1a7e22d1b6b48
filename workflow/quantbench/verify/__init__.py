"""Whether a run's files and cells are still what they were made from."""
