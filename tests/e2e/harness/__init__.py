# SPDX-License-Identifier: MIT
"""Everything the end-to-end tests stand on: the tunnel's process, peers, servers, a PKI, DNS.

One module per noun. Nothing here knows of pytest; conftest.py turns these into fixtures.
"""
