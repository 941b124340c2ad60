"""The command line: makes its surroundings safe, hands over to `commands`, and turns every error into lines
and a code.

Exit codes: 0 done, 2 refused, 3 stopped or damaged (finished cells are kept), 130 interrupted; 1 never.
"""

from __future__ import annotations

import gc
import os
import sys
import warnings
from collections.abc import Sequence

from flowsim.errors import FlowsimError, escape
from flowsim.show.output import flush, prepare_streams, tell

DONE, REFUSED, STOPPED, INTERRUPTED = 0, 2, 3, 130


def main() -> None:
    """The entry point of `flowsim`: runs the command of this process's arguments and ends the process."""
    # Warnings that are made errors would stop a run for a deprecation in a library, here and in the workers.
    warnings.simplefilter("ignore")
    sys.warnoptions.clear()
    os.environ.pop("PYTHONWARNINGS", None)
    gc.set_threshold(50_000)  # what libraries make as they load is no garbage: looking for it took a tenth of a second
    prepare_streams()
    code = run(sys.argv[1:])
    flush()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Runs one command and returns the exit code."""
    try:
        from flowsim.show.commands import app

        code = app(args=list(arguments) or ["--help"], prog_name="flowsim", standalone_mode=False)
        if code == INTERRUPTED:
            # The parser catches Ctrl-C before we can, and gives back this code in its place.
            raise KeyboardInterrupt
        return code if isinstance(code, int) else DONE
    except FlowsimError as error:
        tell(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        tell("interrupted: what is finished is kept; the same command goes on from there")
        return INTERRUPTED
    except SystemExit as error:
        # The parser's own way out when the reader of its help has gone.
        return error.code if isinstance(error.code, int) and error.code != 1 else DONE
    except MemoryError:
        tell("stopped: out of memory: finished cells are kept; use fewer workers or a machine with more")
        return STOPPED
    except Exception as error:
        return _told(error)


def _told(error: Exception) -> int:
    message = getattr(error, "format_message", None)
    if message is not None:
        # A usage error of the parser; its class has no public name in every version of typer.
        said = " ".join(str(message()).split())
        tell(f"command line: {escape(said)}" + (_help_hint(error) if "elp" not in said else ""))
        return REFUSED
    if type(error).__name__ == "Abort":
        return INTERRUPTED
    if isinstance(error, OSError) and error.strerror:
        name = f"{escape(str(error.filename))}: " if error.filename else ""
        tell(f"stopped: {name}{error.strerror}: put it right and run again")
        return STOPPED
    said = escape(" ".join(str(error).split()))[:500]
    tell(f"stopped by a fault in flowsim itself: {type(error).__name__}: {said}")
    if sys.flags.dev_mode:
        raise error
    tell("`python -X dev -m flowsim ...` shows where; please report it")
    return STOPPED


def _help_hint(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    return f" (see {context.command_path} --help)" if context is not None else ""
