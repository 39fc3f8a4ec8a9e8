"""Figures measured here and now: our readings beside the same readings by products that we depend on."""
