"""The service past one machine, on Ray Serve: ``serve run stt.cluster:app``, or ``stt serve
--cluster``.

::

    HTTP -> ingress replicas: the application, decoding, windows, words    (CPU)
                 | windows                         ^ frames
                 v                                 |
            engine replicas: the models, a Batcher each                    (GPU, or CPU)

    all of them -> the ledger: models, queues, metrics, draining

`wire` is what crosses between them, `dispatcher` sends windows and sends them again, `engines` and
`ledger` are what is known of others, `replica` computes. Ray appears in `deployments` only.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ray.serve import Application

__all__ = ["app"]


def app(args: dict[str, Any]) -> "Application":
    """Ray Serve's builder; ``args`` are settings (``serve run stt.cluster:app demo=true``).

    What is not among them is read from the environment, once, where the application is built, and
    goes to all replicas from there.

    Raises:
        ConfigurationError: settings that cannot work, or the extra `cluster` is missing.
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
