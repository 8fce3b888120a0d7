"""An SCGI backend in plain Python: answers with what it was asked, as JSON.  python3 backend.py SOCKET"""
import json
import socketserver
import sys

SHOWN = ["REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR", "REMOTE_USER", "APP_GREETING"]


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        variables = self.read_head()
        body = self.rfile.read(int(variables["CONTENT_LENGTH"]))
        answer = {name: variables.get(name) for name in SHOWN} | {"body": body.decode()}
        self.wfile.write(b"Status: 200 OK\r\nContent-Type: application/json\r\n\r\n" + json.dumps(answer).encode())

    def read_head(self):
        """A netstring: its length, a colon, names and values that end with NUL each, a comma."""
        digits = b""
        while not digits.endswith(b":"):
            digits += self.rfile.read(1)
        strings = self.rfile.read(int(digits[:-1])).decode("latin-1").split("\0")
        self.rfile.read(1)
        return dict(zip(strings[0:-1:2], strings[1::2]))


if __name__ == "__main__":
    with socketserver.ThreadingUnixStreamServer(sys.argv[1], Handler) as server:
        print("backend: listening", flush=True)
        server.serve_forever()
