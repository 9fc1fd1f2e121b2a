# SPDX-License-Identifier: MIT
"""A TLS echo server at a given port, until it is killed: server.py PORT CHAIN KEY."""

import pathlib
import ssl
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from harness.server import TlsServer, echo  # noqa: E402

port, chain, key = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(chain, key)
server = TlsServer(echo, context, port=int(port))
print("ready", flush=True)
threading.Event().wait()
