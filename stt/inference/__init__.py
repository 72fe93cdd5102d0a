"""Many requests -> batches -> one inference thread.

`scheduler` is the interface for callers, `batcher` implements it in this process, `worker` is the
thread, `observer` receives timings.
"""
