"""One dataset out of many sources: duplicates found, joined into clusters, and splits that no cluster crosses."""

from globmed.data.corpus.clustering import DEFAULT_THRESHOLD, cluster_dataset
from globmed.data.corpus.held_out import near_test_questions
from globmed.data.corpus.overlap import overlap

__all__ = ["DEFAULT_THRESHOLD", "cluster_dataset", "near_test_questions", "overlap"]
