"""Slow versions of the measures: one user, plain Python, straight from the definitions."""

import math


def slow_list(scores, k):
    """Take the best item out k times; the first of equal ones."""
    left = {item: score for item, score in enumerate(scores) if score > -math.inf}
    chosen = []
    for _ in range(k):
        best = max(left, key=lambda item: (left[item], -item), default=-1)
        left.pop(best, None)
        chosen.append(best)
    return chosen


def slow_metric(name, ranked, gains):
    relevant = {item for item, gain in enumerate(gains) if gain > 0}
    if not relevant:
        return math.nan
    k = len(ranked)
    ranks = [rank for rank, item in enumerate(ranked, start=1) if item in relevant]
    if name == "precision":
        return len(ranks) / k
    if name == "recall":
        return len(ranks) / len(relevant)
    if name == "hit_rate":
        return 1.0 if ranks else 0.0
    if name == "mrr":
        return 1 / ranks[0] if ranks else 0.0
    if name == "map":
        return sum(len(relevant.intersection(ranked[:rank])) / rank for rank in ranks) / min(k, len(relevant))
    dcg = sum(gains[item] / math.log2(1 + rank) for rank, item in enumerate(ranked, start=1) if item >= 0)
    best = sorted(gains, reverse=True)[:k]
    return dcg / sum(gain / math.log2(1 + rank) for rank, gain in enumerate(best, start=1))


def slow_auc(scores, gains):
    candidates = [item for item, score in enumerate(scores) if score > -math.inf]
    pairs = [(i, j) for i in candidates if gains[i] > 0 for j in candidates if not gains[j] > 0]
    if not pairs:
        return math.nan
    return sum(1.0 if scores[i] > scores[j] else 0.5 if scores[i] == scores[j] else 0.0 for i, j in pairs) / len(pairs)
