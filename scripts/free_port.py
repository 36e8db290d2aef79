"""Check that a server can listen: `free_port.py HOST PORT` prints the problem and exits with 1 if it cannot.

It runs before the packages are installed, so it imports the standard library only.
"""

import socket
import sys


def problem(host: str, port: str) -> str | None:
    """Return why nothing can listen there, or None."""
    if not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65536:
        return "a port is a number from 1 to 65535"
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((host, int(port)))
        except OSError as error:
            return error.strerror or str(error)
    return None


if __name__ == "__main__" and (found := problem(*sys.argv[1:])):
    print(found)
    sys.exit(1)
