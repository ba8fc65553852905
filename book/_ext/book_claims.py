"""The ledger of claims: collect the verdicts that the chapters' cells printed.

The directive ``{claims-ledger}`` becomes a table of all verdicts in the book. A chapter that is in the table of
contents and does not test a claim listed for it in ``utils/book/claims.csv`` fails the build.
"""

import re
from html import unescape

from book_tables import link_to, table
from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from utils.book.claims import VERDICTS, load_claims

logger = logging.getLogger(__name__)

CARD = re.compile(r'data-claim="([^"]*)" data-verdict="([^"]*)" data-because="([^"]*)"')

TALLY = {"holds": "hold", "holds when": "hold when …", "does not hold": "do not hold"}


class claims_ledger(nodes.General, nodes.Element):
    """Stands where the table comes."""


class LedgerDirective(SphinxDirective):
    """``{claims-ledger}``: the table of verdicts."""

    def run(self):
        """Leave a mark, to be replaced once every page has been read."""
        self.env.book_ledger_pages.add(self.env.docname)
        return [claims_ledger()]


def start(app, env, docnames):
    """Make room on the build environment."""
    if not hasattr(env, "book_verdicts"):
        env.book_verdicts, env.book_ledger_pages = {}, set()


def forget(app, env, docname):
    """Drop what an earlier version of a page said."""
    env.book_verdicts.pop(docname, None)
    env.book_ledger_pages.discard(docname)


def merge(app, env, docnames, other):
    """Join what parallel readers found."""
    env.book_verdicts.update({name: other.book_verdicts[name] for name in docnames if name in other.book_verdicts})
    env.book_ledger_pages |= other.book_ledger_pages & set(docnames)


def collect(app, doctree):
    """Find the verdicts in the outputs of one page, and give each a target to link to."""
    env = app.env
    found = []
    for raw in doctree.findall(nodes.raw):
        match = CARD.search(raw.astext())
        if match and raw.get("format") == "html":
            claim_id, verdict, because = map(unescape, match.groups())
            anchor = f"claim-{claim_id.lower()}"
            raw.rawsource = raw.children[0] = nodes.Text(raw.astext().replace("<div ", f'<div id="{anchor}" ', 1))
            found.append((claim_id, verdict, because, anchor))
    if found:
        env.book_verdicts[env.docname] = found


def check(app, env):
    """Complain about chapters that leave out a claim that is theirs."""
    for claim in load_claims().values():
        for chapter in claim.chapters:
            docname = f"chapters/{chapter}"
            if docname in env.found_docs and claim.id not in {v[0] for v in env.book_verdicts.get(docname, [])}:
                logger.warning(
                    f"claim {claim.id} is listed for this chapter in claims.csv and no cell records a verdict",
                    location=docname,
                    type="book",
                    subtype="claims",
                )


def refresh(app, env):
    """Write the ledger again whenever any page was read again."""
    return list(env.book_ledger_pages)


def class_of(verdict):
    """Return the CSS class of a verdict, and its name in the form that chooses verdicts."""
    return f"book-{verdict.replace(' ', '-')}"


def tally_of(found):
    """Return a form that counts verdicts and shows one kind; the style sheet does what it chooses.

    Parameters
    ----------
    found : list of str
        The verdicts.

    Returns
    -------
    str
        HTML.
    """
    choices = ['<label><input type="radio" name="verdict" value="all" checked> all ' + f"{len(found)}</label>"]
    choices += [
        f'<label class="{class_of(verdict)}"><input type="radio" name="verdict" '
        f'value="{class_of(verdict).removeprefix("book-")}"> {found.count(verdict)} {TALLY[verdict]}</label>'
        for verdict in VERDICTS
    ]
    return f'<fieldset class="book-tally"><legend>Show</legend>{"".join(choices)}</fieldset>'


def fill(app, doctree, docname):
    """Put the table where the directive stood."""
    claims = load_claims()
    verdicts = sorted(
        ((page, *verdict) for page, found in app.env.book_verdicts.items() for verdict in found),
        key=lambda verdict: (list(claims).index(verdict[1]), verdict[0]),
    )
    for mark in list(doctree.findall(claims_ledger)):
        tested = len({verdict[1] for verdict in verdicts})
        summary = nodes.paragraph("", f"Verdicts in this edition: {tested} of the {len(claims)} claims on our list.")
        if not verdicts:
            mark.replace_self(summary)
            continue
        rows = [
            (
                nodes.strong("", claim_id),
                claims[claim_id].sentence,
                [
                    nodes.strong("", verdict, classes=["book-verdict"]),
                    f"{' ' if verdict == 'holds when' else ': '}{because}",
                ],
                link_to(app, docname, page, anchor),
            )
            for page, claim_id, verdict, because, anchor in verdicts
        ]
        titles = ("Claim", "What is said", "Verdict", "Tested in")
        ledger = table(titles, (5, 35, 40, 20), rows, classes=["book-ledger"])
        for line, (_, _, verdict, _, _) in zip(next(ledger.findall(nodes.tbody)), verdicts, strict=True):
            line["classes"].append(class_of(verdict))
        tally = nodes.raw("", tally_of([verdict for _, _, verdict, _, _ in verdicts]), format="html")
        mark.replace_self([summary, tally, ledger])


def setup(app):
    """Register with Sphinx."""
    app.add_node(claims_ledger)
    app.add_directive("claims-ledger", LedgerDirective)
    app.connect("env-before-read-docs", start, priority=100)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("doctree-read", collect)
    app.connect("env-updated", refresh)
    app.connect("env-check-consistency", check)
    app.connect("doctree-resolved", fill)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
