"""A small SCGI server for WSGI applications, in the manner of flup: one thread for each connection.

    python3 wsgi_server.py 127.0.0.1:0 [FILE.py]
    python3 wsgi_server.py unix:/run/app.sock [FILE.py]
"""
import runpy
import socket
import sys
import threading
import traceback
from pathlib import Path


class WSGIServer:
    def __init__(self, application, address):
        self.application = application
        self.socket = listen(address)

    def run(self):
        print("listening on " + address_of(self.socket), flush=True)
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        stream = connection.makefile("rb")
        try:
            self.answer(read_head(stream), stream, connection)
        except OSError:
            pass  # The client has left.
        except Exception:
            # As flup does it with debug=True: no Status, and so a 200.
            connection.sendall(b"Content-Type: text/plain\r\n\r\n" + traceback.format_exc().encode())
        finally:
            stream.close()
            connection.close()

    def answer(self, variables, stream, connection):
        head = []

        def start_response(status, fields, exc_info=None):
            assert len(status) >= 4 and status[:3].isdigit() and status[3] == " ", status
            head[:] = [status, fields]
            return write

        def write(piece):
            # The head together with the first piece, as flup's buffered stdout sends them.
            start = format_head(*head) if head else b""
            head.clear()
            connection.sendall(start + piece)

        environ = {
            **variables,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https" if variables.get("HTTPS") in ("on", "1") else "http",
            "wsgi.input": stream,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        result = self.application(environ, start_response)
        try:
            for piece in result:
                write(piece)
            write(b"")
        finally:
            if hasattr(result, "close"):
                result.close()


def read_head(stream):
    """The netstring, as names and values."""
    digits = b""
    while not digits.endswith(b":"):
        byte = stream.read(1)
        if not byte.isdigit() and byte != b":":
            raise OSError("no netstring")
        digits += byte
    strings = stream.read(int(digits[:-1])).decode("latin-1").split("\0")[:-1]
    if stream.read(1) != b",":
        raise OSError("no comma")
    return dict(zip(strings[0::2], strings[1::2]))


def format_head(status, fields):
    lines = [f"Status: {status}"] + [f"{name}: {value}" for name, value in fields]
    return "\r\n".join(lines + ["", ""]).encode("latin-1")


def listen(address):
    if address.startswith("unix:"):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address[len("unix:") :])
    else:
        host, port = address.rsplit(":", 1)
        listener = socket.create_server((host, int(port)))
    listener.listen(128)
    return listener


def address_of(listener):
    name = listener.getsockname()
    return "unix:" + name if isinstance(name, str) else "%s:%d" % name


if __name__ == "__main__":
    file = sys.argv[2] if len(sys.argv) > 2 else Path(__file__).with_name("wsgi_app.py")
    WSGIServer(runpy.run_path(str(file))["application"], sys.argv[1]).run()
