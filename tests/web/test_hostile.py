"""Hostile requests, sent straight to the server: each is refused in words, nothing is written, and the server lives on."""

import base64
import http.client
import json
import random
import socket
import zlib
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import pytest

from school_mentoring.analysis.web.limits import Limits
from school_mentoring.analysis.web.state import new_state, to_address
from tests.commands.test_bad_input import BOMB

from .server import SMALL, Server, serving

OURS = {"HX-Request": "true", "Content-Type": "application/x-www-form-urlencoded"}


class Answer:
    """What came back."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.content = response.status, response.headers, response.read()
        self.text = self.content.decode("utf-8", "replace")


def ask(server: Server, method: str, path: str, body: bytes | str | None = None, headers: dict[str, str] | None = None) -> Answer:
    address = urlsplit(server.address)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    try:
        connection.request(method, path, body, headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def sent(content: object) -> str:
    """Return any content packed as an address packs it."""
    packed = zlib.compress(content if isinstance(content, bytes) else json.dumps(content).encode(), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def content_of(address: str) -> dict:
    return json.loads(zlib.decompress(base64.urlsafe_b64decode(address + "=" * (-len(address) % 4))))


def form(**fields: str) -> str:
    return urlencode({"state": to_address(new_state("mensi-pilot")), "page": "x", **fields})


def multipart(name: str, content: bytes, **fields: str) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of an upload."""
    parts = [f'--edge\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode() for key, value in fields.items()]
    head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/plain\r\n\r\n'.encode()
    body = b"".join([*parts, head, content, b"\r\n--edge--\r\n"])
    return body, {"HX-Request": "true", "Content-Type": "multipart/form-data; boundary=edge"}


def upload(server: Server, name: str, content: bytes) -> Answer:
    return ask(server, "POST", "/upload", *multipart(name, content, state=to_address(new_state("mensi-pilot")), page="x"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Start a server of its own, which must be whole at the end."""
    with serving(*SMALL) as running:
        yield running
        assert ask(running, "GET", "/health").status == 200
        assert running.errors == []
        assert running.process.poll() is None


@pytest.fixture(autouse=True)
def nothing_is_written(server) -> Iterator[None]:
    yield
    assert server.written() == []
    assert ask(server, "GET", "/").status == 200


def refused(answer: Answer, words: str, status: int = 422) -> None:
    assert answer.status == status, answer.text[:300]
    assert words in answer.text.replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">"), answer.text[:300]
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("size", [Limits().upload_bytes + 1, 3_000_000], ids=["the file", "the request"])
def test_an_oversized_upload_is_refused(server, size):
    refused(upload(server, "schools.csv", b"school_id\n" + b"a" * (size - 10)), "too large", 413)


def test_an_upload_that_lies_about_its_length_is_refused(server):
    address = urlsplit(server.address)
    with socket.create_connection((address.hostname, address.port), timeout=30) as line:
        head = "POST /answer HTTP/1.1\r\nHost: localhost\r\nHX-Request: true\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        line.sendall((head + "Transfer-Encoding: chunked\r\n\r\n").encode())
        piece = b"10000\r\n" + b"a" * 65536 + b"\r\n"
        try:
            for _ in range(200):
                line.sendall(piece)
            got = line.recv(100)
        except OSError:  # the server hung up, which is a refusal
            got = b"HTTP/1.1 413"
    assert got.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (BOMB.encode(), "anchors and aliases"),
        (b"title: !!python/object/apply:os.system ['touch written']\n", "the tag"),
        (b"extends: ../../etc/passwd\n", "no shipped scenario"),
        (b"extends: /etc/passwd\n", "no shipped scenario"),
        (b"extends: mensi-pilot\nworld: {schools: /etc/passwd}\n", "cannot be read from here"),
        (b"extends: mensi-pilot\nworld: {ties: /etc/passwd}\n", "cannot be read from here"),
        (b"extends: mensi-pilot\nposterior: /etc/passwd\n", "cannot be read from here"),
        (b"{" * 5000, "nested deeper"),
        (b"\x00\xff" * 100, "is not UTF-8"),
        (b"", "empty"),
        (b"extends: mensi-pilot\nmonths: 1e999\n", "no finite number"),
        (b"extends: mensi-pilot\nreplicates: 1000000\n", "more than this page computes"),
        (b"extends: national\n", "more than this page computes"),
    ],
)
def test_a_hostile_scenario_is_refused(server, content, words):
    refused(upload(server, "bad.yaml", content), words)


@pytest.mark.parametrize(
    "name", ["../../../tmp/evil.csv", "..\\\\evil.csv", "/etc/passwd.csv", "a\x00b.csv", ".", "x" * 500 + ".csv", "%2e%2e%2f.csv"]
)
def test_no_name_of_a_file_leads_anywhere(server, name):
    answer = upload(server, name, b"school_id,teachers\nA,-1\n")
    refused(answer, "row 2, column teachers: found '-1'")
    assert "../" not in answer.text and "/tmp" not in answer.text


@pytest.mark.parametrize(
    "address",
    [
        *("", "x", "!!!!", "A" * 20_000, sent([]), sent({}), sent(b"{" * 100), sent(b"[" * 100_000)),
        sent({"begun": "/etc/passwd", "scenario": {}, "presets": {}}),
    ],
)
def test_an_address_that_holds_no_designs_is_refused(server, address):
    assert ask(server, "POST", "/answer", urlencode({"state": address}), OURS).status == 422
    if address:
        assert ask(server, "GET", f"/?s={address[:60_000]}").status == 422


def test_an_address_cannot_unpack_to_more_than_a_page(server):
    bomb = base64.urlsafe_b64encode(zlib.compress(b" " * 10_000_000, 9)).decode()
    assert len(bomb) < 16_000
    refused(ask(server, "POST", "/answer", urlencode({"state": bomb}), OURS), "holds no set of designs")


@pytest.mark.parametrize(
    "change",
    [
        {"world": {"schools": "/etc/passwd"}},
        {"world": {"ties": "/etc/passwd"}},
        {"posterior": "/etc/passwd"},
    ],
)
def test_no_address_names_a_file(server, change):
    content = content_of(to_address(new_state("mensi-pilot")))
    content["scenario"] |= change
    answer = ask(server, "GET", f"/download/scenario.yaml?s={sent(content)}")
    assert "passwd" not in answer.text


def test_schools_of_another_visitor_are_not_found_by_their_digest(server):
    content = content_of(to_address(new_state("mensi-pilot")))
    content["schools"] = ["../../etc/passwd", "../../etc/passwd"]
    answer = ask(server, "GET", f"/download/scenario.yaml?s={sent(content)}")
    assert answer.status == 200 and "passwd" not in answer.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"months": "99999999"}, "months: 99999999 is out of range"),
        ({"months": "1e400"}, "no finite number"),
        ({"months": "nan"}, "is not a number"),
        ({"replicates": "-1"}, "out of range"),
        ({"replicates": "900000"}, "more than this page computes"),
        ({"months": "1200", "replicates": "2000"}, "more than this page computes"),
        ({"world.schools_per_region": "100000"}, "more than this page computes"),
        ({"designs.0.name": "x", "designs.0.preset": "virtual", "designs.0.places": "1e6"}, "places"),
        ({"designs.0.name": "x", "designs.0.preset": "virtual", "designs.0.tier": "<script>alert(1)</script>"}, "allowed: none, platform"),
        ({"designs.0.name": "<script>", "designs.0.preset": "nosuch"}, "no preset named 'nosuch'"),
        ({"designs.0.name": "...", "designs.0.preset": "virtual"}, "is not a valid name"),
        ({"view.willingness_to_pay": "-5"}, "willingness_to_pay"),
        ({"view.budget": "many"}, "budget"),
        ({"world.countries": ""}, "no country is chosen"),
    ],
)
def test_values_out_of_range_over_the_wire_are_refused(server, fields, words):
    answer = ask(server, "POST", "/answer", form(**fields), OURS)
    refused(answer, words)
    assert "<script>" not in answer.text


@pytest.mark.parametrize("action", ["", "format:disk", "remove:99", "remove:-1", "duplicate:99999999999999999999", "load"])
def test_an_action_that_is_none_is_refused(server, action):
    assert ask(server, "POST", "/edit", form(action=action, begin="../../etc/passwd"), OURS).status == 422


@pytest.mark.parametrize(
    "headers",
    [
        {"HX-Request": "true", "Origin": "https://elsewhere.example"},
        {"HX-Request": "true", "Origin": "null"},
        {"HX-Request": "true", "Origin": "http://["},
        {"HX-Request": "true", "Sec-Fetch-Site": "cross-site"},
        {"HX-Request": "true", "Sec-Fetch-Site": "same-site"},
        {},
    ],
)
def test_requests_forged_by_another_site_are_refused(server, headers):
    for path in ("/answer", "/edit", "/upload", "/sure", "/map"):
        body = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        refused(ask(server, "POST", path, form(), body), "another site", 403)


def test_downloads_are_not_for_other_sites_to_embed(server):
    refused(
        ask(server, "GET", "/download/study.zip", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}),
        "another site",
        403,
    )


@pytest.mark.parametrize("name", ["rebound.example", "localhost.rebound.example", "[", "[::1"])
def test_a_foreign_name_for_this_machine_is_refused(server, name):
    refused(ask(server, "GET", "/", headers={"Host": name}), "not served under this name", 421)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/download/..%2f..%2fapp.py",
        "/download/x",
    ],
)
def test_no_path_leads_to_a_file_that_is_not_the_pages(server, path):
    answer = ask(server, "GET", path)
    assert answer.status in (404, 405)
    assert "import" not in answer.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(server, method):
    assert ask(server, method, "/answer", form(), OURS).status == 405


def test_every_answer_carries_the_headers_that_protect_it(server):
    for answer in (ask(server, "GET", "/"), ask(server, "GET", "/nothing"), ask(server, "POST", "/answer", form(months="-1"), OURS)):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
    cookie = ask(server, "GET", "/").headers["Set-Cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie


def test_noise_of_any_kind_is_refused_and_survived(server):
    chance = random.Random(1)
    for _ in range(60):
        body = bytes(chance.randrange(256) for _ in range(chance.randrange(400)))
        kind = chance.choice(
            [
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
                "multipart/form-data",
                "text/plain",
                "application/json",
            ]
        )
        path = chance.choice(["/answer", "/edit", "/upload", "/sure", "/map"])
        answer = ask(server, "POST", path, body, {"HX-Request": "true", "Content-Type": kind})
        assert 400 <= answer.status < 500, (path, kind, answer.text[:200])


def test_the_log_is_a_line_of_json_a_request_and_tells_nothing_of_visitors(server):
    ask(server, "GET", "/?s=secret")
    lines = [line for line in server.log if line["event"] == "request"]
    assert {"time", "event", "method", "path", "status", "ms"} == set(lines[-1])
    assert "secret" not in json.dumps(server.log)
