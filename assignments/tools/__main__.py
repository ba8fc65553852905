"""The commands: ``make assignments`` and ``make grade`` call them. `assignments.tools` says how all of it works."""

import argparse
import sys
from collections import Counter
from pathlib import Path

from assignments.tools.course import DEFAULT_COURSE, ConverterError, back_up, only_run
from assignments.tools.lms import PATTERNS
from assignments.tools.sources import ASSIGNMENTS, SourceError, find_assignments, read_source

COURSE_HELP = "the folder of the course, with the gradebook (default: %(default)s)"
LMS_HELP = """the folder of submissions is an unpacked download from there. Moodle: <Full
name>_<number>_assignsubmission_file_/<assignment>.ipynb, or the same as one name; Canvas: <name>_[LATE_]<user
id>_<submission id>_<assignment>.ipynb. Of several submissions, <assignment>-2.ipynb comes after <assignment>-1.ipynb.
What fits no pattern is named and left alone. The number is the student's id, or a column `moodle` (number or full
name) or `canvas` (user id) in students.csv says whose it is"""


def main(arguments=None):
    """Run a command; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m assignments.tools", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    release = commands.add_parser("release", help="make what students and teachers get")
    release.add_argument("names", nargs="*", help="assignments (default: all)")
    release.add_argument("--sources", type=Path, default=ASSIGNMENTS, help="the folder of the sources")
    grade = commands.add_parser("grade", help="mark a folder of submissions")
    grade.add_argument("submissions", type=Path, help="holds <student>/<assignment>.ipynb, or what nbgrader collected")
    grade.add_argument("--lms", choices=sorted(PATTERNS), help=LMS_HELP)
    grade.add_argument("--assignment", action="append", help="mark this one only; may be repeated")
    grade.add_argument("--no-sandbox", action="store_true", help="let student code run as you, with all your rights")
    grade.add_argument("--cell-seconds", type=int, default=30, help="limit for a cell (default: %(default)s)")
    grade.add_argument("--total-seconds", type=int, default=300, help="limit for a notebook (default: %(default)s)")
    grade.add_argument("--again", action="store_true", help="mark also what has not changed since the last run")
    for command in (release, grade):
        command.add_argument("--course", type=Path, default=DEFAULT_COURSE, help=COURSE_HELP)
    given = parser.parse_args(arguments)
    try:
        return _release(given) if given.command == "release" else _grade(given)
    except KeyboardInterrupt:
        print("\nStopped. What was marked is kept; run the same command again to go on.", file=sys.stderr)
        return 130


def _release(given):
    from assignments.tools.release import LeakError, make_release, n_points

    sources = find_assignments(given.sources)
    if unknown := sorted(set(given.names) - set(sources)):
        print(f"no assignment {', '.join(unknown)}; there are {', '.join(sources)}", file=sys.stderr)
        return 1
    try:
        with only_run(given.course):
            back_up(given.course)
            for name in given.names or sources:
                path = make_release(name, sources[name], given.course)
                automatic, written = n_points(read_source(sources[name]))
                print(f"{name}: {automatic} points by tests, {written} by hand. For students: {path}")
    except BlockingIOError:
        print(f"another run is at work in {given.course}: wait for it, or stop it", file=sys.stderr)
        return 1
    except (SourceError, LeakError, ConverterError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"For teachers, with solutions and hidden tests: {given.course / 'source'}. Keep that folder to yourself.")
    return 0


def _grade(given):
    from assignments.tools.grade import RISK, GradeError, grade

    if given.no_sandbox:
        print(RISK.format(reason="you asked for none") + "\n", file=sys.stderr)
    try:
        rows = grade(
            given.submissions,
            given.course,
            assignments=given.assignment,
            lms=given.lms,
            is_sandboxed=not given.no_sandbox,
            cell_seconds=given.cell_seconds,
            total_seconds=given.total_seconds,
            is_again=given.again,
        )
    except GradeError as error:
        print(error, file=sys.stderr)
        return 1
    for status, number in Counter(row["status"] for row in rows).items():
        print(f"{number:4} {status}")
    flagged = [f"{row['student']} ({row['assignment']})" for row in rows if row["flags"]]
    if flagged:
        print(f"Look at the code of {', '.join(flagged)}: the column `flags` says why.")
    print(f"Marks: {given.course / 'marks.csv'}\nFeedback: {given.course / 'feedback'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
