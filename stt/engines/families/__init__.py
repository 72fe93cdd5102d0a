"""The families of checkpoints: one module each, and `table` lists them.

To add a family, write a module with a `stt.engines.families.base.Family` and add it to the table.
"""
