"""Write what a student gets back: one HTML file that asks no other host for anything, and shows no hidden test."""

import re
from html import escape

import nbformat
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from assignments.tools.course import gradebook_url
from assignments.tools.names import inside
from assignments.tools.sources import DELIMITERS, is_hidden, secrets

MAX_TEXT = 4000  # characters of one output

# Nothing is loaded and no script runs, whatever the student's notebook put into its outputs.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --line: #8886; --bad: #b3261e; --good: #1b6e3c; }}
@media (prefers-color-scheme: dark) {{ :root {{ --bad: #ff8a80; --good: #7fd6a0; }} }}
body {{ font: 16px/1.55 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; overflow-wrap: anywhere; }}
th, td {{ border-bottom: 1px solid var(--line); padding: .35rem .6rem; text-align: left; vertical-align: top; }}
td.points {{ text-align: right; white-space: nowrap; }}
td.lost {{ color: var(--bad); }} td.won {{ color: var(--good); }}
pre {{ border: 1px solid var(--line); border-radius: 4px; padding: .6rem; overflow-x: auto; font-size: .85rem; }}
pre.output {{ border-style: dashed; }}
pre.words {{ white-space: pre-wrap; font-family: inherit; font-size: 1rem; }}
img {{ max-width: 100%; background: #fff; }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""

ADVICE = {
    "missing": "No notebook was found, so nothing was marked.",
    "corrupt": "Your file could not be read, so nothing was marked.",
    "crashed": "Your notebook stopped Python before the tests were through, so nothing was marked.",
    "timed out": "Your notebook ran too long.",
    "needs manual grading": "The tests are marked. Your written answer is not marked yet: its points are missing.",
    "graded": "",
}


class HideTests(NbGraderPreprocessor):
    """Hides hidden tests in the feedback that nbgrader's own command writes."""

    def preprocess(self, notebook, resources):
        """Hide them in the whole notebook: what one cell hides, another may have printed."""
        return hide_tests(notebook), resources


def hide_tests(notebook):
    """Take hidden tests out of a marked notebook, in place: their code, and outputs that show it.

    Of a failed test the message stays.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        As nbgrader leaves it in ``autograded``.

    Returns
    -------
    nbformat.NotebookNode
        The same notebook.
    """
    hidden = secrets(notebook, with_answers=False)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        if is_hidden(cell.metadata.get("nbgrader", {}).get("grade_id", "")):
            lines = [line for line in cell.source.splitlines() if line.startswith("#") and line not in DELIMITERS]
            cell.source = "\n".join(lines[:1])
            message = message_of(cell)
            cell.outputs = [nbformat.v4.new_output("stream", text=message)] if message else []
        for output in cell.outputs:
            if any(line in text for text in _texts(output) for line in hidden):
                output.clear()
                output.update(nbformat.v4.new_output("stream", text="[left out: it shows tests]"))
    return notebook


def _texts(output):
    """Return all texts of an output, without the colours of a terminal."""
    parts = [output.get("text", ""), output.get("evalue", ""), "\n".join(output.get("traceback", []))]
    parts += [value for value in output.get("data", {}).values() if isinstance(value, str)]
    return [_without_colours(part) for part in parts]


def _without_colours(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def message_of(cell):
    """Return what a failed test says, in one paragraph, or an empty string."""
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            words = _without_colours(output.evalue).strip()
            if output.ename == "NotImplementedError":
                return "not answered yet"
            if output.ename == "CellTimeoutError":
                return "stopped, since it took too long"
            return words if output.ename == "AssertionError" and words else f"{output.ename}: {words}"[:MAX_TEXT]
    return ""


def write_feedback(course, row):
    """Write the feedback for one student and one assignment.

    Parameters
    ----------
    course : Path
        The folder of the course.
    row : dict
        A row of the marks.

    Returns
    -------
    Path
        ``feedback/<student>/<assignment>/<assignment>.html``, where nbgrader's commands look for it.
    """
    assignment, student = row["assignment"], row["student"]
    has_marks = row["score"] != ""
    title = (
        f"{assignment}: {row['score']:g} of {row['max_score']:g} points" if has_marks else f"{assignment}: not marked"
    )
    body = [f"<p>{escape(student)}. {ADVICE[row['status']]} {escape(row['note'])}</p>"]
    if has_marks:
        body += _marked(course, assignment, student)
    path = inside(course, "feedback", student, assignment, assignment, suffix=".html")
    path.parent.mkdir(parents=True, exist_ok=True)
    page = PAGE.format(title=escape(title), policy=POLICY, body="\n".join(body))
    path.write_text(page, encoding="utf-8", errors="backslashreplace")  # a student's code may print half a character
    return path


def _marked(course, assignment, student):
    """Return the HTML of the points, and of the notebook below them."""
    path = inside(course, "autograded", student, assignment, assignment, suffix=".ipynb")
    notebook = nbformat.read(path, as_version=4)
    messages = {cell.id: message_of(cell) for cell in notebook.cells}
    hidden = secrets(notebook, with_answers=False)
    with Gradebook(gradebook_url(course)) as gradebook:
        submission = gradebook.find_submission_notebook(assignment, assignment, student)
        grades = {grade.name: (grade.score, grade.max_score, grade.needs_manual_grade) for grade in submission.grades}
        comments = {comment.name: comment.comment for comment in submission.comments if comment.comment}
    rows = ["<table><thead><tr><th>test</th><th>points</th><th>what it says</th></tr></thead><tbody>"]
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name not in grades:
            continue
        score, maximum, is_open = grades[name]
        words = comments.get(name, "") or messages[cell.id]
        if any(line in words for line in hidden):
            words = "[left out: it shows tests]"
        title = cell.source.splitlines()[0].lstrip("# ") if cell.cell_type == "code" else f"written answer, {name}"
        kind = "" if is_open else "won" if score == maximum else "lost"
        points = f"– / {maximum:g}" if is_open else f"{score:g} / {maximum:g}"
        title, words = (re.sub(r"\s*\(\d+ points?\)$", "", escape(text)) for text in (title, words))
        rows.append(f'<tr><td>{title}</td><td class="points {kind}">{points}</td><td>{words}</td></tr>')
    rows.append("</tbody></table>")
    return [*rows, "<h2>Your notebook</h2>", *map(_cell_html, hide_tests(notebook).cells)]


def _cell_html(cell):
    """Return a cell as HTML; of a student's own text nothing is taken for HTML."""
    marks = cell.metadata.get("nbgrader", {})
    if cell.cell_type == "code":
        return "\n".join([f"<pre>{escape(cell.source)}</pre>", *map(_output_html, cell.outputs)])
    if marks.get("solution") or not cell.id.startswith("text-"):
        return f'<pre class="words">{escape(cell.source)}</pre>'
    return re.sub(r'<a class="anchor-link".*?</a>', "", markdown2html_mistune(cell.source))


def _output_html(output):
    """Return an output as HTML: text and pictures only."""
    image = output.get("data", {}).get("image/png", "")
    if re.fullmatch(r"[A-Za-z0-9+/=\s]+", image):
        return f'<p><img alt="a figure of this cell" src="data:image/png;base64,{"".join(image.split())}"></p>'
    if output.output_type == "error":
        text = "\n".join(output.traceback) or f"{output.ename}: {output.evalue}"
    else:
        text = output.get("text", "") or output.get("data", {}).get("text/plain", "")
    text = _without_colours(text)
    if not text:
        return ""
    text = text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "\n[… cut]"
    return f'<pre class="output">{escape(text)}</pre>'
