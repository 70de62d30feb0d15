"""`python -m globmed` is `globmed`."""

from globmed.cli.main import main

main()
