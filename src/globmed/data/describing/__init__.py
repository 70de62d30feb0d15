"""What a stage of items holds: counted, as tables, and drawn on one page."""

from globmed.data.describing.counting import describe
from globmed.data.describing.description import Description
from globmed.data.describing.page import chance, write_page

__all__ = ["Description", "chance", "describe", "write_page"]
