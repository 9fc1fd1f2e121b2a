# SPDX-License-Identifier: MIT
"""All lies, each with the class that speaks its version."""

from .conversation import Lie
from .lies_12 import HANDSHAKE_12, LATER_12
from .lies_13_flight import CERTIFICATE, EXTENSIONS, FINISHED, VERIFY
from .lies_13_hello import HELLO, OVERLOOKED, RETRY
from .lies_13_records import MESSAGES, RECORDS
from .lies_ends import ends
from .tls12 import Tls12
from .tls13 import Tls13

_HONEST = Lie("none", "ok")
_ONLY_12 = {"tls": {"max_version": "1.2"}}

LIES = [(Tls13, lie) for lie in [_HONEST, *HELLO, *OVERLOOKED, *RETRY, *EXTENSIONS, *CERTIFICATE,
                                 *VERIFY, *FINISHED, *RECORDS, *MESSAGES, *ends({})]]
LIES += [(Tls12, lie) for lie in [_HONEST, *HANDSHAKE_12, *LATER_12, *ends(_ONLY_12)]]
