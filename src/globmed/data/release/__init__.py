"""What is published or trained on: one file a source, language and split, after a last check of the whole."""

from globmed.data.release.releasing import release_dataset

__all__ = ["release_dataset"]
