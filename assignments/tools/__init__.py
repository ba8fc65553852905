"""Hand assignments out, and mark them: the tools behind ``make assignments`` and ``make grade``.

They build on nbgrader, which keeps a gradebook (SQLite) and runs notebooks, and add what was missing: a check that
nothing leaks, a sandbox, limits, a status for each submission, and feedback that shows no hidden test.

**Hand out.** ``make assignments`` reads every ``assignments/<name>.md`` and writes, into the folder of the course,

=========================================  ====================================================================
``release/<name>/<name>.ipynb``            for students: no solution, no hidden test
``source/<name>/<name>.ipynb``             for teachers: with both
``gradebook.db``, ``nbgrader_config.py``   for nbgrader's own commands, and JupyterLab's Formgrader
=========================================  ====================================================================

The folder is ``assignments/course``, which git does not see and ``make clean`` leaves alone; ``COURSE=path`` names
another. The same sources give the same bytes. A release that would show a solution or a hidden test is not written.

**Collect.** One folder for each student, its name the student's id, one notebook for each assignment::

    submissions/ann/similarity.ipynb
    submissions/ben/similarity.ipynb

or ``submissions/ann/similarity/similarity.ipynb``, as ``nbgrader collect`` lays out what came through the exchange of a
JupyterHub (`assignments.tools.exchange`). Other files are not looked at. A misspelt folder would be a new student; to
be told instead, write ``students.csv`` into the folder of the course, with a column ``student``
(`assignments.tools.roster` says in which formats). What was downloaded from Moodle or Canvas is read with ``--lms``
(`assignments.tools.lms`).

**Mark.** ``make grade SUBMISSIONS=submissions`` puts the tests back as they were, runs each notebook in a sandbox with
limits, and writes ``marks.csv`` and ``feedback/<student>/<name>/<name>.html``. What has not changed since the last run
is not run again, so an interrupted run goes on where it was. Before it begins, it copies the gradebook into
``backups``. The column ``status`` is one of

========================  =====================================================================================
``graded``                all points are given
``needs manual grading``  the tests are marked, a written answer is not: mark it in the Formgrader, then run again. Also
                          where its cell is as it was, but the student wrote in other places: the note says where
``timed out``             a cell ran too long (the others count), or the whole notebook (no score)
``crashed``               the notebook ended Python; no score; what was said is in ``logs``
``corrupt``               the file is empty, no notebook, or cannot be read; no score
``missing``               there is no file of that name; no score
========================  =====================================================================================

**What the sandbox stops** is said in `assignments.tools.sandbox`. What it cannot stop: inside its own kernel, a
notebook can change what the tests see, catch them, or bring its own copy of a function that is switched off. The column
``flags`` names words in a student's code that such a thing needs. It is a reason to look, and no proof.

Read `names`, `sources`, `release`, `submissions`, `sandbox`, `grade`, `feedback`, `exchange`, `roster` and `lms` in
this order.
"""
