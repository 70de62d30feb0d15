"""What is published or trained on: one file a source, language and split, after a last check of the whole."""

from globmed.data.release.choice import FORMATS, About, Choice, Format
from globmed.data.release.releasing import release_dataset

__all__ = ["FORMATS", "About", "Choice", "Format", "release_dataset"]
