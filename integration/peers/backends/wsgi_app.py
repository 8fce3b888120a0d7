"""A WSGI application that shows what it gets and answers in every way that a gateway must cope with.

uWSGI serves it as it is, wsgi_server.py serves it too.
"""
import hashlib
import json
from urllib.parse import parse_qs


def application(environ, start_response):
    return PAGES.get(environ["PATH_INFO"], show)(environ, start_response)


def show(environ, start_response):
    """Variables and body, as JSON."""
    variables = {name: value for name, value in environ.items() if name.isupper()}
    body = b"" if environ["CONTENT_LENGTH"] == "0" else environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    return answer(start_response, json.dumps({"variables": variables, "body": body.decode("latin-1")}).encode())


def digest(environ, start_response):
    """Length and SHA-256 of a body of any size."""
    sha256, left = hashlib.sha256(), int(environ["CONTENT_LENGTH"])
    total = left
    while left > 0:
        piece = environ["wsgi.input"].read(min(left, 65536))
        if not piece:
            break
        sha256.update(piece)
        left -= len(piece)
    return answer(start_response, f"{total - left} {sha256.hexdigest()}".encode())


def download(environ, start_response):
    """As many bytes as asked for: 0, 1, 2 … 250, 0 …"""
    size = int(parse_qs(environ["QUERY_STRING"])["bytes"][0])
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(size))])
    return pieces(size)


def pieces(size):
    block = bytes(range(251)) * 251
    while size > 0:
        yield block[:size]
        size -= len(block)


def upper(environ, start_response):
    """Five bytes in upper case for five bytes of body, at once: streams both ways at the same time."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    for _ in range(int(environ["CONTENT_LENGTH"]) // 5):
        yield environ["wsgi.input"].read(5).upper()


def ignore(environ, start_response):
    """Answers without reading the body."""
    return answer(start_response, b"not interested", "200 OK")


def ignore_without_length(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"not interested"]


def cookies(environ, start_response):
    fields = [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; HttpOnly"), ("Content-Type", "text/plain")]
    start_response("201 Made Up", fields)
    return [b"made"]


def redirect(environ, start_response):
    start_response("303 See Other", [("Location", "https://example.test/else?where")])
    return []


def no_content(environ, start_response):
    start_response("204 No Content", [])
    return []


def crash(environ, start_response):
    raise RuntimeError("before the head")


def crash_late(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "1000")])
    yield b"the beginning"
    raise RuntimeError("after the head")


def answer(start_response, body, status="200 OK"):
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


PAGES = {
    "/digest": digest,
    "/download": download,
    "/upper": upper,
    "/ignore": ignore,
    "/ignore-without-length": ignore_without_length,
    "/cookies": cookies,
    "/redirect": redirect,
    "/no-content": no_content,
    "/crash": crash,
    "/crash-late": crash_late,
}
