"""A backend as people write it after reading one page about SCGI: one recv, one answer, one connection at a time.

    python3 plain_socket.py unix:/run/app.sock
    python3 plain_socket.py 127.0.0.1:0
"""
import sys

from wsgi_server import address_of, listen

HEAD = b"Status: 200 OK\r\nContent-Type: text/plain\r\n"

# What to answer to which PATH_INFO: right, sloppy and wrong.
ANSWERS = {
    "/crlf": HEAD + b"Content-Length: 5\r\n\r\nhello",
    "/lf-only": b"Status: 201 Created\nContent-Type: text/plain\nContent-Length: 5\n\nhello",
    "/status-last": b"Content-Type: text/plain\r\nstatus:  404   Not   Here \r\n\r\nhello",
    "/no-status": b"Content-Type: text/plain\r\n\r\nhello",
    "/status-line": b"HTTP/1.0 410 Gone\r\nContent-Type: text/plain\r\n\r\nhello",
    "/location": b"Location: https://example.test/else\r\n\r\n",
    "/local": b"Location: /crlf?again\r\n\r\n",
    "/no-reason": b"Status: 404\r\n\r\nhello",
    "/no-body": b"Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n",
    "/long": HEAD + b"Content-Length: 5\r\n\r\nhello and more than was announced",
    "/short": HEAD + b"Content-Length: 50\r\n\r\nhello",
    "/nothing": b"",
    "/no-head": b"hello, this is no head\n",
    "/half-head": b"Status: 200 OK\r\nContent-Ty",
    "/gemini": b"20 text/gemini\r\n# hello\n",
    "/chunked": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "/two-lengths": HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "/bad-status": b"Status: fine\r\n\r\nhello",
    "/large-head": HEAD + b"X-Large: " + b"x" * 100_000 + b"\r\n\r\nhello",
}


def parse_scgi_request(data):
    colon = data.index(b":")
    length = int(data[:colon])
    parts = data[colon + 1 : colon + 1 + length].split(b"\x00")
    env = {}
    for i in range(0, len(parts) - 1, 2):
        env[parts[i].decode()] = parts[i + 1].decode()
    return env, data[colon + 1 + length + 1 :]


def handle_request(env, body):
    if env["PATH_INFO"] in ANSWERS:
        return ANSWERS[env["PATH_INFO"]]
    path, query = env.get("PATH_INFO", "/"), env.get("QUERY_STRING", "")
    return HEAD + f"\r\nPath: {path}\nQuery: {query}\nBody: {body.decode()}\n".encode()


def main():
    listener = listen(sys.argv[1])
    print("listening on " + address_of(listener), flush=True)
    while True:
        connection, _ = listener.accept()
        try:
            data = connection.recv(65536)
            connection.sendall(handle_request(*parse_scgi_request(data)))
        except (OSError, ValueError):
            pass  # The client has left, or it was none.
        finally:
            connection.close()


if __name__ == "__main__":
    main()
