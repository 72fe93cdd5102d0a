"""The service on several machines, with Ray Serve: ``serve run stt.cluster:app`` or
``stt serve --cluster``.

::

    HTTP -> ingress replicas: the application, decoding, windows, words    (CPU)
                 | windows                         ^ frames
                 v                                 |
            engine replicas: the models, a Batcher each                    (GPU or CPU)

    every replica -> the ledger: models, queues, metrics, draining

`wire` defines the messages between them, `dispatcher` sends windows and resends lost ones,
`engines` and `ledger` track the other replicas, `replica` runs the models. Only `deployments` and
`serving` import Ray.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ray.serve import Application

__all__ = ["app"]


def app(args: dict[str, Any]) -> "Application":
    """Build the application for Ray Serve; ``args`` are settings (``serve run stt.cluster:app
    demo=true``).

    All other settings come from the environment of the process that builds the application, which
    sends them to every replica.

    Raises:
        ConfigurationError: invalid settings, or the extra `cluster` is missing.
    """
    from stt.engines.device import prepare_process

    prepare_process()
    require_ray()
    from stt.cluster.deployments import build_application
    from stt.settings import load_settings

    return build_application(load_settings(**args))


def require_ray() -> None:
    """
    Raises:
        ConfigurationError: the extra is missing.
    """
    try:
        import ray.serve  # noqa: F401
    except ImportError as missing:
        from stt.errors import ConfigurationError

        raise ConfigurationError(
            "A cluster needs Ray Serve, which is not installed: pip install 'stt-ctc[cluster]'."
        ) from missing
