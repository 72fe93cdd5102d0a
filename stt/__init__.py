"""Speech to text over HTTP with Wav2Vec2 CTC models.

A reader who goes through the modules in this order has read what happens to an upload: `settings`,
`languages`, `audio`, `windows`, `engine`, `ctc`, `batcher`, `transcriber`, `models`, `loader`,
`responses`, `routes`, `app`.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
