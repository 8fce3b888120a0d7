"""Asks one Gemini server one thing with Python's TLS, which tells a whole response from one that was broken off.

    python3 client.py port url [certificate key]

Prints the header, how the connection ended, the length of the body and its digest, then the body if it is short.
"""
import hashlib
import json
import socket
import ssl
import sys

port, url, *identity = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
if identity:
    context.load_cert_chain(*identity)
raw = socket.create_connection(("127.0.0.1", int(port)), timeout=10)
tls = context.wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False)
tls.sendall(url.encode() + b"\r\n")
pieces = []
ending = "close_notify"
while True:
    try:
        piece = tls.recv(65536)
    except (ssl.SSLEOFError, ConnectionResetError):
        ending = "truncated"
        break
    if not piece:
        break
    pieces.append(piece)
header, _, body = b"".join(pieces).partition(b"\r\n")
text = body.decode(errors="replace") if len(body) < 10000 else ""
print(json.dumps({
    "header": header.decode(),
    "ending": ending,
    "length": len(body),
    "digest": hashlib.sha256(body).hexdigest(),
    "text": text,
}))
