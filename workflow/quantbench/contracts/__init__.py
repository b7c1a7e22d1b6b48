"""The files between the stages: their content, read, written and checked in one way."""
