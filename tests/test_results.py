from datetime import date
from importlib.metadata import version

import numpy as np
import pytest

from utils.results import FOLDER, load_result, save_result


def test_save_result_keeps_values_and_provenance(tmp_path):
    save_result("als", {"recall": [0.1, 0.2]}, data="cinema", checksum="ab12", packages=("numpy",), folder=tmp_path)
    assert load_result("als", folder=tmp_path) == {
        "data": "cinema",
        "sha256": "ab12",
        "date": date.today().isoformat(),
        "versions": {"numpy": version("numpy")},
        "values": {"recall": [0.1, 0.2]},
    }


def test_save_result_rejects_what_json_cannot_hold(tmp_path):
    with pytest.raises(TypeError, match="not JSON serializable"):
        save_result("als", {"recall": np.float32(0.1)}, data="cinema", checksum="ab12", folder=tmp_path)


def test_load_result_lists_those_there_are(tmp_path):
    (tmp_path / "als.json").write_text("{}")
    with pytest.raises(FileNotFoundError, match="expected a result among als, received 'svd'; `make results`"):
        load_result("svd", folder=tmp_path)


def test_committed_results_name_the_pinned_data():
    from utils.data.movielens import SHA256

    for file in FOLDER.glob("*.json"):
        record = load_result(file.stem)
        assert record["sha256"] == SHA256[record["data"]]
