"""Many requests -> batches -> one inference thread.

`scheduler` is the seam that callers see, `batcher` implements it for this process, `worker` is the
thread, `observer` hears what took how long.
"""
