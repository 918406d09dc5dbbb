"""What is said where memory does not suffice, and a look at its limit before libraries load, as they crash or wait for ever below it."""

import sys

try:
    import resource
except ImportError:  # a system without limits of this kind
    resource = None  # type: ignore[assignment]

TOO_LITTLE = "this needs more memory than there is"
LEAST = 1_100_000 * 1024
"""Bytes of address space that libraries and compiled code take before any run, on a machine of few processors."""


def refuse_little() -> None:
    """End the process, with the exit code of bad input, where it may not have the address space that its libraries take."""
    if resource is None:
        return
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and limit < LEAST:
        least, left = (f"{size / 1e9:.2f} GB" for size in (LEAST, limit))
        print(f"error: {TOO_LITTLE}: libraries alone take {least} of address space, and a limit (ulimit -v) leaves {left}", file=sys.stderr)
        raise SystemExit(2)
