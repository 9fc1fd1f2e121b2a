# SPDX-License-Identifier: MIT
"""Configurations to be probed."""


def config_for(pki, target, tls=None, options=None, **keys):
    """One service, `svc`, that trusts our CA; where it listens nobody cares."""
    service = {"accept": "127.0.0.1:1", "connect": getattr(target, "address", target), **keys}
    service["tls"] = False if tls is False else {"ca": pki.ca.file, **(tls or {})}
    if service["tls"] and service["tls"]["ca"] is None:
        del service["tls"]["ca"]
    return {**(options or {}), "svc": service}
