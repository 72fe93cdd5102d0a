"""Many requests -> batches -> one inference thread.

`scheduler` is the seam that callers see, `batcher` implements it for this process, `worker` is the
thread, `limits` how much a device takes at a time, `observer` who hears what took how long.
"""
