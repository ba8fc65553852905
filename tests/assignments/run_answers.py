"""Run a notebook with other answers in it: `wrong_answers.run` starts this file as a process of its own, in a sandbox.

It runs the cells one after the other, with the reference solutions. Where a cell comes up for which there are other
answers, each of them runs in a fork. So what comes before is run once, and no answer meets what another one left.
The sandbox shows nothing of the tests, so this file imports nothing of theirs.
"""

import json
import os
import sys
import traceback


def run(cells, namespace, *, shows_tracebacks):
    """Run cells (name → code) one after the other, as a kernel does; return name → message, None where it passed."""
    messages = {}
    for name, code in cells.items():
        try:
            exec(compile(code, name, "exec"), namespace)
        except BaseException as error:
            messages[name] = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
            if shows_tracebacks:
                traceback.print_exc()
        else:
            messages[name] = None
    return messages


def main():
    """Read from stdin what to do, as JSON; write lines of JSON to stdout, each a number and its messages.

    ``cells`` is the reference, name → code. ``variants`` are the others, each the cells to run from its first other
    answer on, name → code. The number is the place of the variant, and -1 for the reference, which comes last.
    """
    task = json.load(sys.stdin)
    options = {"shows_tracebacks": task["shows_tracebacks"]}
    results = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what answers print
    namespace, said = {"__name__": "__main__"}, {}
    for name, code in task["cells"].items():
        for number, variant in enumerate(task["variants"]):
            if name != next(iter(variant)):
                continue
            if (child := os.fork()) == 0:
                results.write(json.dumps([number, run(variant, namespace, **options)]) + "\n")
                results.flush()
                os._exit(0)
            os.waitpid(child, 0)
        said |= run({name: code}, namespace, **options)
    results.write(json.dumps([-1, said]) + "\n")
    results.close()


if __name__ == "__main__":
    main()
