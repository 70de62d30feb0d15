"""One dataset out of many sources: duplicates found, joined into clusters, and splits that no cluster crosses."""

from globmed.data.corpus.clustering import DEFAULT_THRESHOLD, cluster_dataset

__all__ = ["DEFAULT_THRESHOLD", "cluster_dataset"]
