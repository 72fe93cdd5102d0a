"""Speech to text over HTTP with CTC models such as Wav2Vec2.

An upload passes through these packages in order: `server`, `audio`, `recognition`, `inference`,
`engines`, `formats`. `models` finds, downloads and loads the checkpoints.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
