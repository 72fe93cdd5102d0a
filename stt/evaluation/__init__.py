"""How good a model's texts are: references and hypotheses -> a report.

Knows nothing of audio and models; `stt.commands.evaluate` transcribes and calls it.
"""
