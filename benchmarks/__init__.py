"""Benchmarks of speed and memory; docs/benchmarks.md lists them.

Each prints the machine, commit and command with its figures.
"""
