"""The border of the package: every file that somebody hands in is read here, with limits, and every error names it."""
