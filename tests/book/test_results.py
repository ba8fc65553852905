import hashlib
import json
import sys
from datetime import date
from importlib.metadata import version

import numpy as np
import pytest

from utils.book.results import FOLDER, PACKAGES, hash_events, load_result, save_result
from utils.data import Interactions, load_cinema
from utils.data.movielens import SHA256

VALUES = {
    "n_users": 610,
    "share": 0.1,
    "title": "Nausicaä",
    "curve": [0, 0.5, 1.0],
    "nested": {"none": None, "yes": True},
}


def save(folder, name="facts", values=VALUES, **changes):
    """Write a result."""
    save_result(name, values, **{"data": "ml-test", "checksum": "abc123", "folder": folder, **changes})


def test_save_result_writes_what_load_result_reads(tmp_path):
    save(tmp_path)
    assert load_result("facts", folder=tmp_path)["values"] == VALUES


def test_save_result_records_where_the_numbers_come_from(tmp_path):
    before = date.today().isoformat()
    save(tmp_path)
    record = load_result("facts", folder=tmp_path)
    assert list(record) == ["data", "sha256", "date", "versions", "values"]
    assert (record["data"], record["sha256"]) == ("ml-test", "abc123")
    assert before <= record["date"] <= date.today().isoformat()
    assert record["versions"] == {name: version(name) for name in ("numpy", "scipy", "scikit-learn")}


def test_save_result_records_the_versions_that_are_asked_for(tmp_path):
    save(tmp_path, packages=["networkx", "pytest"])
    expected = {"networkx": version("networkx"), "pytest": pytest.__version__}
    assert load_result("facts", folder=tmp_path)["versions"] == expected


def test_save_result_writes_one_file_that_people_can_read(tmp_path):
    save(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["facts.json"]
    text = (tmp_path / "facts.json").read_bytes().decode("utf-8")
    assert '\n    "title": "Nausicaä",\n' in text
    assert text.endswith("}\n")


def test_save_result_replaces_an_earlier_one(tmp_path):
    save(tmp_path)
    save(tmp_path, values={"n_users": 1})
    assert load_result("facts", folder=tmp_path)["values"] == {"n_users": 1}


@pytest.mark.parametrize("wrong", [np.arange(3), np.float32(1), np.int64(1), {1, 2}, date(2020, 1, 1)])
def test_save_result_rejects_what_is_not_plain_and_keeps_the_earlier_result(tmp_path, wrong):
    save(tmp_path)
    with pytest.raises(TypeError, match="not JSON serializable"):
        save(tmp_path, values={"fine": 1, "wrong": [wrong]})
    assert load_result("facts", folder=tmp_path)["values"] == VALUES


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_save_result_rejects_numbers_that_json_has_no_word_for(tmp_path, wrong):
    with pytest.raises(ValueError, match="not JSON compliant"):
        save(tmp_path, values={"recall": [0.1, float(wrong)]})
    assert list(tmp_path.iterdir()) == []


def test_load_result_lists_the_results_there_are(tmp_path):
    save(tmp_path, "similarity")
    save(tmp_path, "als")
    with pytest.raises(FileNotFoundError, match="among als, similarity, received 'asl'; `make results` computes them"):
        load_result("asl", folder=tmp_path)


def test_load_result_says_if_there_is_none_yet(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a result among none yet, received 'als'"):
        load_result("als", folder=tmp_path)


def tiny(values=(3.0, 5.0), timestamps=(10, 20), labels="xy"):
    """Two users who each have one item."""
    return Interactions([0, 1], [1, 0], list(values), timestamps, ["a", "b"], list(labels))


def test_hash_events_is_that_of_the_columns_as_bytes():
    columns = {"users": [0, 1], "items": [1, 0], "values": [3, 5], "timestamps": [10, 20]}
    text = b"".join(name.encode() + np.array(column, dtype="<f8").tobytes() for name, column in columns.items())
    assert hash_events([tiny()]) == hashlib.sha256(text).hexdigest()


def test_hash_events_notices_each_change_of_an_event_and_no_change_of_a_label():
    others = [[tiny((3, 4))], [tiny(timestamps=(10, 21))], [tiny(timestamps=None)], [tiny(), tiny()], []]
    assert len({hash_events(data) for data in [[tiny()], *others]}) == 1 + len(others)
    assert hash_events([tiny(labels="pq")]) == hash_events([tiny()])


def test_hash_events_depends_on_the_order_of_the_data():
    one, other = tiny(), tiny((1, 1))
    assert hash_events([one, other]) != hash_events([other, one])


@pytest.mark.parametrize("name", sorted(file.stem for file in FOLDER.glob("*.json")))
def test_committed_results_are_of_data_that_the_loader_gives(name):
    record = load_result(name)
    if record["data"] == "cinema":
        options = record["values"].get("options", {})
        simulated = hash_events(load_cinema(seed, **options)[0] for seed in record["values"]["seeds"])
        assert record["sha256"] == simulated, f"the simulation has changed; run: make results RESULTS={name}"
    else:
        assert record["sha256"] == SHA256[record["data"]]
    assert set(PACKAGES) <= set(record["versions"])
    assert date.fromisoformat(record["date"]) <= date.today()
    assert record["values"]


def test_each_committed_result_has_the_function_that_computes_it(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    try:
        from make_results import find_results

        assert sorted(find_results()) == sorted(file.stem for file in FOLDER.glob("*.json"))
    finally:  # the modules there have the names of chapters
        for file in FOLDER.glob("*.py"):
            sys.modules.pop(file.stem, None)


def test_committed_results_are_valid_json():
    def refuse(constant):
        raise ValueError(f"{constant} is not JSON")

    for file in FOLDER.glob("*.json"):
        assert json.loads(file.read_text(encoding="utf-8"), parse_constant=refuse)


def test_committed_results_agree_with_each_other_about_the_data():
    assert load_result("data")["values"]["n_events"] == 100_836  # as its README says
    assert load_result("data")["sha256"] == load_result("similarity")["sha256"]
