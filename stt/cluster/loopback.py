"""Keeps a cluster on one machine off the network: whoever reaches Ray's ports can run code.

Ray has no setting for it on Linux except the one that makes clusters on macOS and Windows local.
It reads its environment at import, and hands it to the processes that it starts.
"""

import os
import secrets
from collections.abc import MutableMapping
from typing import Any

LOCAL_ONLY = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Ray's name for "this node may be part of a cluster"; 0 makes 127.0.0.1 its only address."""
AUTH_MODE, AUTH_TOKEN, AUTH_TOKEN_PATH = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"


def prepare(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set Ray's environment for this machine's role; call it before Ray is imported.

    Without ``RAY_ADDRESS``, Ray starts a cluster of its own here: on 127.0.0.1, with a new token,
    since other users of this machine reach that address too. With it, this process joins a
    cluster, which has its own token.
    """
    environment.setdefault(AUTH_MODE, "token")
    if environment.get("RAY_ADDRESS"):
        return
    environment[LOCAL_ONLY] = "0"
    if environment[AUTH_MODE] == "token" and not environment.get(AUTH_TOKEN_PATH):
        environment.setdefault(AUTH_TOKEN, secrets.token_hex(32))


def bind_replica() -> None:
    """Make this replica listen on 127.0.0.1 only, if its cluster is local.

    Ray Serve's server for calls between replicas binds to ``[::]``, without a setting
    (``ray/serve/_private/replica.py`` of Ray 2.60). It starts after the deployment's constructor,
    which calls this.
    """
    if os.environ.get(LOCAL_ONLY) != "0":
        return
    from ray.serve._private import replica

    bind = replica.add_port_to_grpc_server

    def bind_locally(server: Any, address: str) -> Any:
        return bind(server, address.replace("[::]", "127.0.0.1"))

    replica.add_port_to_grpc_server = bind_locally
