import pytest

from utils.book.claims import VERDICTS, load_claims, record_claim


def test_load_claims_keeps_the_order_and_the_chapters_of_the_file():
    claims = load_claims()
    assert list(claims)[:3] == ["E1", "E2", "E3"]
    assert claims["E2"].chapters == ("embeddings", "item2vec")


def test_load_claims_gives_every_claim_a_sentence_and_a_chapter():
    for claim in load_claims().values():
        assert claim.sentence.endswith(".")
        assert claim.chapters


@pytest.mark.parametrize("verdict", VERDICTS)
def test_record_claim_output_carries_id_verdict_and_evidence(verdict):
    card = record_claim("S1", verdict, "3 < 4 & so on")._repr_html_()
    assert f'data-claim="S1" data-verdict="{verdict}" data-because="3 &lt; 4 &amp; so on"' in card


def test_record_claim_rejects_an_unknown_id():
    with pytest.raises(ValueError, match=r"received 'Z9'; add a row"):
        record_claim("Z9", "holds", "because")


def test_record_claim_rejects_an_unknown_verdict():
    with pytest.raises(ValueError, match=r"expected a verdict among 'holds'.*received 'maybe'"):
        record_claim("S1", "maybe", "because")


def test_record_claim_demands_evidence():
    with pytest.raises(ValueError, match="S1 got no evidence"):
        record_claim("S1", "holds", "  ")
