"""From publishers' files to a dataset in many languages."""
