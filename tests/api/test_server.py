import asyncio
import datetime as dt
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lfr.api.server import check_address, serve
from lfr.domain.errors import ConfigError
from tests.support.api import following, served


def at(config, **changes):
    return msgspec.structs.replace(config, api=msgspec.structs.replace(config.api, **changes))


def certificate(folder: Path) -> dict[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.DNSName("*.Force.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(minutes=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(private)
    return {"tls_cert": str(folder / "cert.pem"), "tls_key": str(folder / "key.pem")}


async def test_port_0_takes_a_free_one_and_tells_the_real_url(house, app):
    async with served(app, house.config) as url:
        assert url.startswith("http://127.0.0.1:")
        assert not url.endswith(":0")
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(f"{url}/api/v1/health")).json() == {"state": "live"}


async def test_a_port_in_use_is_one_clear_line(house, app):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = at(house.config, port=taken.getsockname()[1])
        with pytest.raises(ConfigError, match="cannot listen on") as caught:
            await serve(app, config, ready=lambda _: None)
    assert "another program has it" in caught.value.hint


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "van-7.example"])
def test_beyond_loopback_tls_is_needed(house_config, host):
    with pytest.raises(ConfigError, match="without TLS"):
        check_address(at(house_config, host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.3.2.1"])
def test_loopback_needs_none(house_config, host):
    check_address(at(house_config, host=host))


def test_certificate_and_key_go_together_and_must_be_good(house_config, tmp_path):
    with pytest.raises(ConfigError, match="go together"):
        check_address(at(house_config, tls_cert="cert.pem"))
    with pytest.raises(ConfigError, match="cannot be used"):
        check_address(at(house_config, tls_cert=str(tmp_path / "no.pem"), tls_key=str(tmp_path / "no.pem")))
    pair = certificate(tmp_path)
    check_address(at(house_config, host="0.0.0.0", **pair))
    (tmp_path / "key.pem").write_text("rubbish")
    with pytest.raises(ConfigError, match="cannot be used"):
        check_address(at(house_config, **pair))


async def test_with_a_certificate_it_speaks_tls(house, tmp_path):
    pair = certificate(tmp_path)
    config = at(house.config, host="localhost", **pair)
    async with served(house.app(config=config), config) as url:
        assert url.startswith("https://localhost:")
        trust = ssl.create_default_context(cafile=pair["tls_cert"])
        async with httpx.AsyncClient(verify=trust, trust_env=False) as http:
            answer = await http.get(f"{url}/api/v1/health")
            named = [
                (await http.get(f"{url}/api/v1/health", headers={"host": host})).status_code
                for host in ("van-7.force.example", "a.b.force.example", "force.example.evil")
            ]
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"]
    assert named == [200, 400, 400]


async def test_a_stop_lets_open_streams_end_by_themselves(house, app, signed):
    async def listen(url):
        async with following(url, signed.operator) as events:
            listening.set()
            return [event async for event in events]

    listening = asyncio.Event()
    async with served(app, house.config) as url:
        stream = asyncio.create_task(listen(url))
        await listening.wait()
    # A stream that was cut off would raise; this one was finished properly, well before the grace period was over.
    assert await stream == []


SERVER = """
import asyncio, sys
from pathlib import Path
from tests.support.api import build_house
from lfr.api.server import serve

async def main():
    async with build_house(Path(sys.argv[1])) as house:
        await serve(house.app(), house.config, ready=lambda url: print(url, flush=True))
    print("closed", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_serving_and_hands_back_to_the_caller(tmp_path, number):
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SERVER, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    try:
        while not (line := process.stdout.readline()).startswith("http://"):
            assert process.poll() is None
        url = line.strip()
        assert httpx.get(f"{url}/api/v1/health", trust_env=False).status_code == 200
        process.send_signal(number)
        assert process.stdout.readline().strip() == "closed"
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
