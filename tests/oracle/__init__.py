"""Slow, obvious versions of what the package computes fast: written apart from it, used by the tests alone."""
