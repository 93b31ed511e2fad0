#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The server of test_fetch: on a free port of the loopback, prints the port, serves until stdin
ends. The first part of a path says how it behaves:

/good/FILE      the file                    /corrupt/FILE   one byte of it changed
/cut/FILE       half of it, then hangs up   /cutplain/FILE  the same, with no length announced
/missing/FILE   404                         /error/FILE     500
/moved/FILE     leads to /good/FILE         /loop/FILE      leads to itself
/outside/FILE   leads to a file: address    /long/FILE      announces more than the ceiling
/endless/FILE   sends more than the ceiling /slow/FILE      a piece at a time
"""
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FOLDER = sys.argv[1]


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def log_request(self, *arguments):
        with open(os.path.join(FOLDER, "requests"), "a", encoding="utf-8") as log:
            log.write(self.path + "\n")

    def redirect(self, where):
        self.send_response(302)
        self.send_header("Location", where)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send(self, data, length):
        self.send_response(200)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def do_GET(self):
        _, way, file = self.path.split("/", 2)
        with open(os.path.join(FOLDER, os.path.basename(file)), "rb") as source:
            data = source.read()
        if way == "good":
            self.send(data, len(data))
        elif way == "corrupt":
            middle = len(data) // 2
            self.send(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1:], len(data))
        elif way == "cut":
            self.send(data[:len(data) // 2], len(data))
        elif way == "cutplain":
            self.send(data[:len(data) // 2], None)
        elif way == "moved":
            self.redirect("/good/" + file)
        elif way == "loop":
            self.redirect(self.path)
        elif way == "outside":
            self.redirect("file://" + os.path.join(FOLDER, file))
        elif way == "long":
            self.send(b"", 1 << 40)
        elif way == "endless":
            self.send(b"", None)
            for _ in range(300):
                self.wfile.write(bytes(1 << 20))
        elif way == "slow":
            self.send(b"", len(data))
            for byte in data:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.02)
        else:
            self.send_error(500 if way == "error" else 404)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
