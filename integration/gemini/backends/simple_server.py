"""The minimal SCGI server of Xitzin's page, with an address to listen on and a few more pages.

    python3 simple_server.py unix:/run/app.sock
    python3 simple_server.py 127.0.0.1:0
    python3 simple_server.py 127.0.0.1:0 reads-on

The page's reads once, and finds all in it: our front writes a request at once. Molly Brown writes the length and the
variables one after the other; one that reads on waits for both.
"""
import os
import socket
import sys

PAGES = {
    "/input": "10 Enter your name:\r\n",
    "/redirect": "30 gemini://example.com/new-location\r\n",
    "/gone": "52 Gone\r\n",
    "/printed": "20 text/gemini\n# Printed\n",
    "/http": "Status: 200 OK\r\nContent-Type: text/html\r\n\r\n<p>",
    "/nothing": "",
    "/half": "20 text/ge",
    "/large": "20 text/plain\r\n" + "0123456789abcdef" * 131072,
}


def parse_scgi_request(data):
    """Parse SCGI netstring headers."""
    colon = data.index(b":")
    length = int(data[:colon])
    headers_data = data[colon + 1 : colon + 1 + length]
    parts = headers_data.split(b"\x00")
    env = {}
    for i in range(0, len(parts) - 1, 2):
        env[parts[i].decode()] = parts[i + 1].decode() if i + 1 < len(parts) else ""
    return env


def read_request(conn, reads_on):
    data = conn.recv(65536)
    while reads_on and not is_whole(data):
        more = conn.recv(65536)
        if not more:
            break
        data += more
    return data


def is_whole(data):
    length, colon, rest = data.partition(b":")
    return bool(colon) and len(rest) > int(length)


def handle_request(env):
    """Generate Gemini response."""
    path = env.get("PATH_INFO", "/")
    query = env.get("QUERY_STRING", "")
    if path in PAGES:
        return PAGES[path]
    body = f"# SCGI Response\n\nPath: {path}\nQuery: {query}\n"
    for name in ("SCGI", "CONTENT_LENGTH", "TLS_CLIENT_HASH", "APP_GREETING"):
        body += f"{name}: {env.get(name, '')}\n"
    return f"20 text/gemini\r\n{body}"


def listen(where):
    if where.startswith("unix:"):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(where[5:])
        address = where
    else:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        host, port = where.rsplit(":", 1)
        sock.bind((host, int(port)))
        address = "%s:%d" % sock.getsockname()
    sock.listen(64)
    return sock, address


def main():
    sock, address = listen(sys.argv[1])
    print("listening on " + address, flush=True)
    while True:
        conn, addr = sock.accept()
        try:
            data = read_request(conn, "reads-on" in sys.argv[2:])
            env = parse_scgi_request(data)
            if env.get("PATH_INFO") == "/exit":
                conn.sendall(b"20 text/plain\r\nhalf")
                os._exit(1)
            conn.sendall(handle_request(env).encode())
        except OSError:
            pass  # The front has left.
        finally:
            conn.close()


if __name__ == "__main__":
    main()
