"""Places for uploads and for work, shared fairly between clients."""

from stt.inference.fairness import is_full


class Places:
    """Places of one kind, shared fairly between clients; see `stt.inference.fairness`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._held: dict[str, int] = {}

    def __len__(self) -> int:
        return sum(self._held.values())

    @property
    def clients(self) -> set[str]:
        """Who has a place."""
        return set(self._held)

    def is_full(self, client: str) -> bool:
        """Whether this client can have no other place."""
        return is_full(self._held, client, self.limit)

    def take(self, client: str) -> None:
        """Give a client a place."""
        self._held[client] = self._held.get(client, 0) + 1

    def give_back(self, client: str) -> None:
        """Take a place back."""
        self._held[client] -= 1
        if not self._held[client]:
            del self._held[client]
