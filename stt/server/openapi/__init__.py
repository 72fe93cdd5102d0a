"""Adds examples of every answer and every error to the OpenAPI description.

The code that renders real answers renders the examples, and errors come from the table of
statuses, so examples always have the shape of real answers.
"""

from stt.server.openapi.description import describe

__all__ = ["describe"]
