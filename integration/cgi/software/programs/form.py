#!/usr/bin/env python3
"""A program of the standard library alone: octets in, octets out."""
import hashlib
import http.cookies
import json
import os
import sys
import urllib.parse

cookies = http.cookies.SimpleCookie(os.environ.get("HTTP_COOKIE", ""))
body = sys.stdin.buffer.read(int(os.environ.get("CONTENT_LENGTH") or 0))
answer = {
    "query": urllib.parse.parse_qs(os.environ["QUERY_STRING"], keep_blank_values=True),
    "cookies": {name: morsel.value for name, morsel in cookies.items()},
    "type": os.environ.get("CONTENT_TYPE"),
    "length": len(body),
    "sha256": hashlib.sha256(body).hexdigest(),
    "path": os.fsencode(os.environ.get("PATH_INFO", "")).decode("latin1"),
    "rest": len(sys.stdin.buffer.read()),
}
cookie = http.cookies.SimpleCookie()
cookie["seen"] = "a b"
cookie["seen"]["path"] = "/"
print("Status: 201 Created")
print("Content-Type: application/json")
print(cookie.output())
print()
print(json.dumps(answer))
print("seen", file=sys.stderr)
