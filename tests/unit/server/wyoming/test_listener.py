"""Who may reach the port."""

import pytest

from stt.errors import ConfigurationError
from stt.server.wyoming.listener import check_access
from stt.settings import load_settings


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "stt.example.org"])
def test_beyond_this_machine_wyoming_would_go_round_the_keys(host: str) -> None:
    flags = ["--wyoming-port", "10300", "--wyoming-host", host]
    with pytest.raises(ConfigurationError, match="has no keys"):
        check_access(load_settings(flags), has_keys=True)
    check_access(load_settings(flags), has_keys=False)
    check_access(load_settings([*flags, "--wyoming-without-keys"]), has_keys=True)
    check_access(load_settings(flags[2:]), has_keys=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_on_this_machine_it_may(host: str) -> None:
    check_access(load_settings(["--wyoming-port", "10300", "--wyoming-host", host]), has_keys=True)


def test_a_cluster_has_no_single_port() -> None:
    with pytest.raises(ConfigurationError, match="STT_WYOMING_PORT"):
        load_settings(["--cluster", "--wyoming-port", "10300"])
