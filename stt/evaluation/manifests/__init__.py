"""Manifests: lists of recordings with their reference texts, as data sets are distributed."""

from stt.evaluation.manifests.base import Utterance
from stt.evaluation.manifests.table import FORMATS, find_format, read_manifest

__all__ = ["FORMATS", "Utterance", "find_format", "read_manifest"]
