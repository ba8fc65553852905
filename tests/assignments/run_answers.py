"""Run the cells of a source with other answers in them: `wrong_answers.run` starts this as a process of its own.

Each answer runs in a fork of one process that has run the cells before the first answer. So the data are made once,
and no answer meets what another one left behind.
"""

import json
import os
import sys
import traceback
from pathlib import Path

from assignments.tools.sources import read_source


def run(cells, namespace):
    """Run cells one after the other, as a kernel does; return the cell's name → its message, None where it passed."""
    messages = {}
    for cell in cells:
        try:
            exec(compile(cell.source, cell.id, "exec"), namespace)
        except BaseException as error:
            messages[cell.id] = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
            if "DEBUG_ANSWERS" in os.environ:
                traceback.print_exc()
        else:
            messages[cell.id] = None
    return messages


def main():
    """Read path and answers from stdin, write one result for each answer to the file descriptor that is given."""
    task = json.load(sys.stdin)
    results = os.fdopen(int(sys.argv[1]), "w")
    cells = [cell for cell in read_source(Path(task["source"])).cells if cell.cell_type == "code"]
    first = next(place for place, cell in enumerate(cells) if cell.metadata["nbgrader"]["solution"])
    namespace = {"__name__": "__main__"}
    setup = run(cells[:first], namespace)
    for answers in task["answers"]:
        for cell in cells:
            cell.answer = answers.get(cell.id, cell.source)
        if (child := os.fork()) == 0:
            for cell in cells:
                cell.source = cell.answer
            results.write(json.dumps(setup | run(cells[first:], namespace)) + "\n")
            results.flush()
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
