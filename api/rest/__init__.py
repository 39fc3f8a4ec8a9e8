"""REST under ``/api/v1``: facts in, readings out, each seen as the caller may see it."""
