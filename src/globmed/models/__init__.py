"""Whatever answers a request."""
