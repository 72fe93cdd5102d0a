"""Events that are answered with an error, after which the connection goes on."""

from stt.errors import InvalidParameter


class Refusal(Exception):
    """An event that cannot be followed."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        """
        Args:
            code: For programs: one of `stt.errors` or of OpenAI's.
            message: What was wrong, what was expected, and what to do.
            param: The field that caused it.
        """
        super().__init__(message)
        self.code, self.message, self.param = code, message, param


def invalid_field(param: str, message: str) -> Refusal:
    """A field has an invalid value."""
    return Refusal(InvalidParameter.code, f"{param}: {message}", param)
