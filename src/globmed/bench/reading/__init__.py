"""From what a model replied to the answer it gave, or to the reason why none can be read. No model is needed."""

from globmed.bench.reading.choice import read_choice
from globmed.bench.reading.label import read_label
from globmed.bench.reading.likelihood import read_likelihood
from globmed.bench.reading.reading import Reading, ReadingStatus

__all__ = ["Reading", "ReadingStatus", "read_choice", "read_label", "read_likelihood"]
