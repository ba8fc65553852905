from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib import font_manager

from utils.book.plotting import (
    FONT_STYLES,
    PALETTE,
    SERIES,
    band,
    colour,
    draw_svg,
    font_file,
    level,
    ticks,
    use_book_style,
)


def luminance(hexadecimal):
    """Relative luminance, as WCAG 2.2 defines it."""
    channels = np.array([int(hexadecimal[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    """Contrast ratio, from 1 (none) to 21 (black on white)."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def seen_by(hexadecimal, deficiency):
    """Linear colour as seen with a colour-vision deficiency (Machado, Oliveira and Fernandes, 2009, severity 1)."""
    matrices = {
        "none": np.eye(3),
        "protan": [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        "deutan": [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
        "tritan": [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    }
    channels = np.array([int(hexadecimal[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.clip(np.array(matrices[deficiency]) @ channels**2.2, 0, 1) ** (1 / 2.2)


def test_palette_contrast_is_as_documented():
    for name, pair in PALETTE.items():
        for theme in (0, 1):
            least = {"page": 1, "grid": 1}.get(name, 4.5 if name in ("ink", "muted") else 3)
            assert contrast(pair[theme], PALETTE["page"][theme]) >= least, (name, theme)


@pytest.mark.parametrize("deficiency", ["none", "protan", "deutan", "tritan"])
@pytest.mark.parametrize("theme", [0, 1])
def test_first_four_series_differ_for_every_reader(deficiency, theme):
    for one, other in combinations(SERIES[:4], 2):
        seen = [seen_by(PALETTE[name][theme], deficiency) for name in (one, other)]
        assert np.linalg.norm(seen[0] - seen[1]) > 0.15, (one, other)


def test_palette_colours_are_all_different():
    # The built book finds a colour by its value, so two names for one value could not be told apart.
    assert len({light for light, _ in PALETTE.values()}) == len(PALETTE)


def test_colour_rejects_an_unknown_name():
    with pytest.raises(KeyError, match=r"no colour 'mauve'.*ink"):
        colour("mauve")


def test_use_book_style_gives_the_same_bytes_for_the_same_figure(tmp_path):
    drawn = []
    with plt.rc_context():
        use_book_style()
        for name in ("one.svg", "two.svg"):
            figure, axes = plt.subplots()
            axes.plot([1, 3, 2])
            figure.savefig(tmp_path / name, metadata={"Date": None})
            plt.close(figure)
            drawn.append((tmp_path / name).read_bytes())
    assert drawn[0] == drawn[1]


def test_draw_svg_styles_nothing_but_itself():
    figure, axes = plt.subplots()
    axes.plot([1, 3, 2])
    assert "<style" not in draw_svg(figure, "a line")


# Lines that bear their names


@pytest.fixture
def axes():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_band_is_the_mean_from_the_smallest_to_the_largest(axes):
    line = band(axes, [1, 2, 4], [[0, 1, 2], [2, 3, 10]], "ALS", "blue")
    assert line.get_ydata().tolist() == [1, 2, 6]
    (area,) = axes.collections
    corners = {tuple(point) for point in area.get_paths()[0].vertices.tolist()}
    assert corners >= {(1, 0), (1, 2), (4, 2), (4, 10)}
    assert [(text.get_text(), text.xy) for text in axes.texts] == [("ALS", (4, 6.0))]


def test_band_leaves_the_scales_as_they_are(axes):
    axes.set_xscale("log")
    band(axes, [1, 10], [[0, 1]], "", "blue")
    assert axes.get_xscale() == "log"
    assert not axes.texts


@pytest.mark.parametrize("runs", [[1, 2], [[1, 2, 3]], [[[1, 2]]]])
def test_band_refuses_runs_that_do_not_fit(axes, runs):
    with pytest.raises(ValueError, match=r"expected runs of shape \(n_runs, 2\), received .*; use one row a run"):
        band(axes, [1, 2], runs, "ALS", "blue")


def test_level_is_a_line_over_the_whole_width_with_its_name_at_an_end(axes):
    line = level(axes, 0.3, "most popular", at=0.0)
    assert (line.get_xdata(), line.get_ydata()) == ([0, 1], [0.3, 0.3])
    assert (axes.texts[0].get_text(), axes.texts[0].get_ha()) == ("most popular", "left")


def test_ticks_stand_where_they_are_put_and_nowhere_else(axes):
    axes.set_xscale("log")
    axes.set_xlim(1, 1000)
    ticks(axes.xaxis, [8, 64], "{:.0f}")
    axes.figure.draw_without_rendering()
    shown = [label.get_text() for label in axes.get_xticklabels(which="both") if label.get_text()]
    assert shown == ["8", "64"]


def test_font_file_names_an_existing_file_of_each_style():
    files = {style: font_file(style) for style in FONT_STYLES}
    assert len(set(files.values())) == len(FONT_STYLES)
    assert all(Path(file).is_file() for file in files.values())


def test_font_file_refuses_a_style_that_is_not_there():
    with pytest.raises(KeyError, match="no style 'thin' of the book's font; choose one of regular, italic"):
        font_file("thin")


def test_use_book_style_sets_figures_in_the_letters_of_the_pages():
    with plt.rc_context():
        use_book_style()
        found = font_manager.findfont(font_manager.FontProperties(family=plt.rcParams["font.family"]))
    assert Path(found).name == "SourceSansPro-Regular.ttf"


def test_book_style_finds_every_weight_that_a_figure_asks_for(caplog):
    # What matplotlib says about a missing weight would stand in the outputs of a chapter.
    with plt.rc_context():
        use_book_style()
        figure, axes = plt.subplots()
        axes.set_title("A bold title, ▸ with a sign of another font")
        axes.text(0.5, 0.5, "italic α", style="italic")
        axes.text(0.5, 0.2, "bold λ", weight="bold")
        axes.legend(axes.plot([0, 1]), ["line"], title="legend")
        draw_svg(figure, "four texts")
    assert [record.getMessage() for record in caplog.records if "findfont" in record.getMessage()] == []
