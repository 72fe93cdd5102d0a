"""URLs of clients, checked and called."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from stt.errors import ConfigurationError, UrlNotAllowed
from stt.jobs.outbound import Outbound, Target, Unreachable
from stt.settings import load_settings
from stt.settings.hosts import HostPattern, parse_hosts
from tests.unit.jobs.web import Names, Site, outbound, says, serving


def check(hosts: str, url: str) -> Target:
    return Outbound(parse_hosts(hosts), setting="STT_FETCH_HOSTS").check(url)


@pytest.mark.parametrize(
    ("hosts", "url"),
    [
        ("media.test", "https://media.test/a.wav"),
        ("media.test", "https://MEDIA.test.:443/a.wav?x=1#part"),
        ("*.media.test", "https://a.b.media.test/"),
        ("*", "https://anything.test/"),
        ("http://nas:8080", "http://nas:8080/a"),
        ("media.test:8443", "https://media.test:8443/a"),
        ("b.test, 8.8.8.8", "https://8.8.8.8/a"),
        ("[2606:4700::1111]", "https://[2606:4700:0::1111]/a"),
        ("bücher.test", "https://xn--bcher-kva.test/"),
        ("xn--bcher-kva.test", "https://BÜCHER.test/"),
        ("*@media.test", "https://user:pass@media.test/"),
    ],
)
def test_allowed_urls(hosts: str, url: str) -> None:
    check(hosts, url)


@pytest.mark.parametrize(
    ("hosts", "url"),
    [
        ("media.test", "http://media.test/a.wav"),
        ("media.test", "https://media.test:8443/"),
        ("media.test", "https://a.media.test/"),
        ("media.test", "https://media.test.evil.test/"),
        ("media.test", "https://evil.test/media.test"),
        ("media.test", "https://media.test@evil.test/"),
        ("media.test", "https://user:pass@media.test/"),
        ("media.test", "https://evil.test\\@media.test/"),
        ("media.test", "https://evil.test#@media.test/"),
        ("media.test", "https://media.test\r\nX: y/"),
        ("media.test", "https://media.test /"),
        ("*.media.test", "https://media.test/"),
        ("*.media.test", "https://evilmedia.test/"),
        ("*.media.test", "https://.media.test/"),
        ("*", "http://anything.test/"),
        ("*", "https://127.0.0.1/"),
        ("*", "https://8.8.8.8/"),
        ("*", "https://[::1]/"),
        ("*", "https://[::ffff:127.0.0.1]/"),
        ("*", "https://0x7f.1/"),
        ("*", "https://0x7f000001/"),
        ("*", "https://2130706433/"),
        ("*", "https://127.1/"),
        ("*", "https://0177.0.0.1/"),
        ("*", "https://127.0.0.1./"),
        ("*", "https://１２７.０.０.１/"),
        ("*", "https://①②⑦.⓪.⓪.①/"),
        ("*", "https://127%2e0%2e0%2e1/"),
        ("*", "https://[fe80::1%25eth0]/"),
        ("*", "https://a..test/"),
        ("*", "https://-a.test/"),
        ("*", "https:///a"),
        ("*", "https://a.test:0/"),
        ("*", "https://a.test:99999/"),
        ("*", "ftp://a.test/"),
        ("*", "file:///etc/passwd"),
        ("*", "//a.test/"),
        ("*", "a.wav"),
        ("*", ""),
        ("*", "https://a.test/" + "a" * 2048),
        ("*@media.test, *", "https://user:pass@other.test/"),
    ],
)
def test_refused_urls(hosts: str, url: str) -> None:
    with pytest.raises(UrlNotAllowed) as refused:
        check(hosts, url)
    assert "pass" not in refused.value.message.replace("password", "")


def test_without_hosts_the_message_says_what_to_set() -> None:
    with pytest.raises(UrlNotAllowed, match="operator lists them in STT_FETCH_HOSTS"):
        check("", "https://media.test/")


@pytest.mark.parametrize(
    "text", ["https://", "ftp://a.test", "a.test/path", "u:p@a.test", "a.*.test", "a.test:99999",
             "*.", "10.0.0.0/8", "0x7f.1", "a b", "*.127.0.0.1"]
)  # fmt: skip
def test_a_malformed_pattern_is_a_configuration_error(text: str) -> None:
    with pytest.raises(ConfigurationError, match="STT_FETCH_HOSTS"):
        load_settings(["--fetch-hosts", text])


def test_settings_have_patterns_and_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STT_FETCH_HOSTS", "*.media.test, http://nas:8080")
    assert load_settings().fetch_hosts == (
        HostPattern("*.media.test"),
        HostPattern("nas", "http", 8080),
    )
    monkeypatch.setenv("STT_WEBHOOK_HOSTS", "hooks.test")
    with pytest.raises(ConfigurationError, match="STT_WEBHOOK_SECRETS is needed too"):
        load_settings()
    monkeypatch.setenv("STT_WEBHOOK_SECRETS", "whsec_dG9vIHNob3J0")
    with pytest.raises(ConfigurationError, match="24 to 64 bytes") as refused:
        load_settings()
    assert "dG9vIHNob3J0" not in str(refused.value)
    monkeypatch.setenv("STT_WEBHOOK_SECRETS", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    settings = load_settings()
    assert settings.webhook_hosts == (HostPattern("hooks.test"),)
    assert "MfKQ9r8" not in repr(settings)


async def get(calls: Outbound, url: str) -> bytes:
    async with calls.call("GET", calls.check(url), {}) as response:
        return await response.aread()


def test_a_name_that_changes_its_address_is_looked_up_once() -> None:
    async def main() -> None:
        async with serving(says(b"public")) as public:
            # The address that must not be reached listens at the same port.
            inner = Site([says(b"secret")])
            server = await asyncio.start_server(inner.handle, "127.0.0.2", public.port)
            names = Names(a_test=[["127.0.0.1"], ["127.0.0.2"]])
            calls = outbound(f"http://a.test:{public.port}", names)
            url = f"http://a.test:{public.port}/"
            assert await get(calls, url) == b"public"
            assert names.asked == ["a.test"]
            with pytest.raises(Unreachable):
                await get(calls, url)
            assert inner.requests == []
            server.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    "found", [["127.0.0.2"], ["127.0.0.1", "127.0.0.2"], ["::ffff:127.0.0.1"], []]
)
def test_one_refused_address_refuses_the_host(found: list[str]) -> None:
    async def main() -> None:
        async with serving(says(b"secret")) as site:
            calls = outbound(f"http://a.test:{site.port}", Names(a_test=[found]))
            with pytest.raises(Unreachable):
                await get(calls, f"http://a.test:{site.port}/")
            assert site.requests == []

    asyncio.run(main())


def test_the_next_address_is_tried_and_the_header_names_the_host() -> None:
    async def main() -> None:
        async with serving(says(b"here")) as site:
            # Nothing listens at ::1.
            names = Names(a_test=[["::1", "127.0.0.1"]])
            calls = outbound(f"http://a.test:{site.port}", names)
            assert await get(calls, f"http://A.test.:{site.port}/a%20b?c=d") == b"here"
            (request,) = site.requests
            assert request.startswith(b"GET /a%20b?c=d HTTP/1.1\r\n")
            assert f"Host: a.test:{site.port}\r\n".encode() in request

    asyncio.run(main())


def test_passwords_go_to_hosts_that_may_have_them() -> None:
    async def main() -> None:
        async with serving(says()) as site:
            calls = outbound(f"http://*@a.test:{site.port}")
            await get(calls, f"http://me:a%3Ab@a.test:{site.port}/")
            await get(calls, f"http://a.test:{site.port}/")
        assert b"Authorization: Basic bWU6YTpi\r\n" in site.requests[0]
        assert b"uthorization" not in site.requests[1]

    asyncio.run(main())


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for this name, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(name), x509.IPAddress(ip_address("127.0.0.3"))]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=file)


def test_tls_is_with_the_host_and_not_with_its_address(tmp_path: Path) -> None:
    theirs, ours = certificate(tmp_path, "a.test")
    names = Names(a_test=[["127.0.0.1"]], b_test=[["127.0.0.1"]])

    async def main() -> None:
        async with serving(says(b"over TLS"), tls=theirs) as site:
            calls = outbound(f"*:{site.port}", names, tls=ours)
            assert await get(calls, f"https://a.test.:{site.port}/") == b"over TLS"
            assert site.names == ["a.test"]
            with pytest.raises(Unreachable):  # the certificate is for another host
                await get(calls, f"https://b.test:{site.port}/")
            with pytest.raises(Unreachable):  # an unknown issuer
                await get(outbound(f"*:{site.port}", names), f"https://a.test:{site.port}/")
            assert len(site.requests) == 1

    asyncio.run(main())


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with serving(says(b"direct")) as site:
            calls = outbound(f"http://a.test:{site.port}")
            assert await get(calls, f"http://a.test:{site.port}/") == b"direct"

    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.2:1")
    asyncio.run(main())


def test_every_failure_of_the_network_looks_the_same() -> None:
    async def main() -> None:
        async with serving(says()) as site:
            closed = site.port
        names = Names(a_test=[["127.0.0.1"]], inner_test=[["127.0.0.2"]])
        calls = outbound(f"http://*:{closed}", names)
        for host in ("a.test", "inner.test", "unknown.test"):
            with pytest.raises(Unreachable) as failed:
                await get(calls, f"http://{host}:{closed}/")
            assert str(failed.value) == ""
            assert isinstance(failed.value.__cause__, httpcore.ConnectError)

    asyncio.run(main())
