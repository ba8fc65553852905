"""The claims that the book puts to the test, and their verdicts.

Claims from papers, articles and folklore stand in ``claims.csv``, in our words. A chapter tests one in a cell that
ends in an assertion, then calls `record_claim`. The output of that call carries the verdict, so that the book can
collect all verdicts into its ledger, also from cells that were cached and did not run again.
"""

import csv
import html
from dataclasses import dataclass
from functools import cache
from pathlib import Path

#: What a test can say of a claim.
VERDICTS = ("holds", "holds when", "does not hold")


@dataclass(frozen=True)
class Claim:
    """One sentence that can be tested.

    Attributes
    ----------
    id : str
        Short name, such as ``"S1"``.
    sentence : str
        The claim, in our words, without a verdict.
    chapters : tuple of str
        Slugs of the chapters that test it.
    """

    id: str
    sentence: str
    chapters: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What a cell found out about a claim; a notebook shows it as a card.

    Attributes
    ----------
    claim : Claim
        The claim.
    verdict : str
        One of `VERDICTS`.
    because : str
        The evidence in one sentence. After "holds when" it names the condition.
    """

    claim: Claim
    verdict: str
    because: str

    @property
    def joint(self):
        """Return what stands between verdict and evidence, for "holds when" goes on as one sentence."""
        return " " if self.verdict == "holds when" else ": "

    def __repr__(self):
        return f"Claim {self.claim.id}: {self.claim.sentence} — {self.verdict}{self.joint}{self.because}"

    def _repr_html_(self):
        kind = self.verdict.replace(" ", "-")
        return (
            f'<div class="book-claim book-{kind}" data-claim="{self.claim.id}" data-verdict="{self.verdict}" '
            f'data-because="{html.escape(self.because)}">'
            f'<p class="book-claim-sentence"><strong>Claim {self.claim.id}.</strong> '
            f"{html.escape(self.claim.sentence)}</p>"
            f'<p><strong class="book-verdict">{self.verdict}</strong>{self.joint}{html.escape(self.because)}</p></div>'
        )


@cache
def load_claims():
    """Read the list of claims.

    Returns
    -------
    dict of str to Claim
        By id, in the order of the file.

    Examples
    --------
    >>> load_claims()["S2"].chapters
    ('similarity',)
    """
    with (Path(__file__).parent / "claims.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["id"]: Claim(row["id"], row["sentence"], tuple(row["chapters"].split())) for row in rows}


def record_claim(claim_id, verdict, because):
    """Record the verdict on a claim; put the call last in the cell whose assertions support it.

    Parameters
    ----------
    claim_id : str
        A key of `load_claims`.
    verdict : {"holds", "holds when", "does not hold"}
        What the cell's assertions show.
    because : str
        The evidence in one sentence; after "holds when" it completes the sentence with the condition.

    Returns
    -------
    Verdict
        Show it: make the call the last expression of its cell.

    Raises
    ------
    ValueError
        If there is no such claim or verdict, or no evidence.

    Examples
    --------
    >>> record_claim("S4", "does not hold", "a smaller squared distance means a closer item.")
    Claim S4: Squared distance is a similarity. — does not hold: a smaller squared distance means a closer item.
    """
    claims = load_claims()
    if claim_id not in claims:
        raise ValueError(
            f"expected the id of a claim in utils/book/claims.csv, received {claim_id!r}; add a row for it there"
        )
    if verdict not in VERDICTS:
        raise ValueError(f"expected a verdict among {', '.join(map(repr, VERDICTS))}, received {verdict!r}")
    if not because.strip():
        raise ValueError(f"claim {claim_id} got no evidence; say in one sentence what the cell shows")
    return Verdict(claims[claim_id], verdict, because)
