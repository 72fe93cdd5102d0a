import asyncio

import pytest

from stt.jobs.addresses import AddressPolicy, resolve


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.100.100.200",
        "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192",
        "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
        "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "fc00::1", "fd00:ec2::254", "fe80::1",
        "fec0::1", "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1",
        "fe80::1%eth0", "2606:4700::1111%eth0", "nonsense", "", "127.1", "2130706433",
    ],
)  # fmt: skip
def test_what_is_not_public_is_refused(address: str) -> None:
    assert not AddressPolicy().allows(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "172.15.255.255", "172.32.0.1", "168.63.129.17", "192.0.1.1", "223.255.255.255",
     "2606:4700::1111", "2001:4860:4860::8888", "2a00:1450::1"],
)  # fmt: skip
def test_public_addresses_are_allowed(address: str) -> None:
    assert AddressPolicy().allows(address)


def test_an_exception_opens_its_network_only() -> None:
    policy = AddressPolicy(exceptions=("127.0.0.1/32", "::1/128"))
    assert policy.allows("127.0.0.1")
    assert policy.allows("::1")
    assert not any(map(policy.allows, ("127.0.0.2", "::ffff:127.0.0.1", "10.0.0.1", "::2")))


def test_the_machine_resolves_what_c_libraries_take_for_addresses() -> None:
    """Why hosts such as these are refused by their spelling, and the answers checked as well."""
    assert asyncio.run(resolve("127.1", 80)) == ("127.0.0.1",)
