"""Speech to text over HTTP with Wav2Vec2 CTC models.

The folders, in the order in which an upload passes through them: `server`, `audio`,
`recognition`, `inference`, `engines`, `formats`; `models` brings the checkpoints.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
