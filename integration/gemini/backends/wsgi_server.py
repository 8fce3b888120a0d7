"""A WSGI application that answers in Gemini, as Xitzin's page has it, and a threaded server for it: what flup would be if
it wrote the status line as it is given.

    python3 wsgi_server.py unix:/run/app.sock
"""
import sys
import threading
import time

from simple_server import listen, parse_scgi_request


def app(environ, start_response):
    path_info = environ.get("PATH_INFO", "/")
    query = environ.get("QUERY_STRING", "")
    if path_info == "/slowly":
        start_response("20 text/plain", [])
        return slowly()
    if path_info == "/fails":
        start_response("20 text/plain", [])
        return fails()

    # Build Gemini response
    status = "20 text/gemini"
    body = f"# Hello from SCGI!\n\nPath: {path_info}\nQuery: {query}\nMethod: {environ['REQUEST_METHOD']}\n"

    start_response(status, [])
    return [body.encode()]


def slowly():
    for number in range(5):
        yield f"{number}\n".encode()
        time.sleep(0.02)


def fails():
    yield b"half"
    raise RuntimeError("the disk is gone")


class WSGIServer:
    def __init__(self, application, sock):
        self.application = application
        self.sock = sock

    def run(self):
        while True:
            conn, _ = self.sock.accept()
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        def start_response(status, headers):
            conn.sendall(status.encode() + b"\r\n")

        with conn:
            environ = parse_scgi_request(conn.recv(65536))
            try:
                for piece in self.application(environ, start_response):
                    conn.sendall(piece)
            except OSError:
                pass  # The front has left.
            except RuntimeError as error:
                print(error, flush=True)


if __name__ == "__main__":
    sock, address = listen(sys.argv[1])
    print("listening on " + address, flush=True)
    WSGIServer(app, sock).run()
