# SPDX-License-Identifier: MIT
"""A TLS server of the tests' own, which lies on demand. Records, key schedule and messages are made
by hand, so that each of them can be made wrong.

messages.py    how messages are put together, and the ClientHello taken apart
records.py     the record layers
conversation.py  what both versions share: the honest conversation, step by step, and where it lies
tls13.py, tls12.py  the steps of each version
server.py      one listener for each lie
lies_*.py      the tables
"""
