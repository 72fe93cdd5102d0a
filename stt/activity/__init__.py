"""Samples -> where nobody speaks. Whoever computes speech leaves out long pauses."""
