"""Who speaks when in a recording with one channel.

`finder` runs `worker` in a process for each recording, since sherpa-onnx holds Python's lock while
it computes; `recorder` keeps the samples for it; `assigning` gives words their speakers. Another
library is another worker: the seam is `turns.FindSpeakers`.
"""
