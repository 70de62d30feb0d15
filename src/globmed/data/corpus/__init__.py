"""One dataset out of many sources: duplicates found, joined into clusters, and splits that no cluster crosses."""

from globmed.data.corpus.clustering import cluster_dataset

__all__ = ["cluster_dataset"]
