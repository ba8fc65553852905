import gzip
import re

import pytest

from utils.data import load_interactions


@pytest.fixture
def write(tmp_path):
    """Write a file and return its path."""

    def write_file(content, name="events.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


def events_of(data):
    return list(zip(data.user_labels[data.users].tolist(), data.item_labels[data.items].tolist()))


def test_load_interactions_reads_what_a_hand_would(write):
    path = write("when,who,what,stars\n30,Ben,Heat,4.5\n-10,Ann,Heat,2\n20,Ben,Alien,5\n")
    data = load_interactions(path, user="who", item="what", value="stars", timestamp="when")
    assert events_of(data) == [("Ben", "Heat"), ("Ann", "Heat"), ("Ben", "Alien")]
    assert data.values.tolist() == [4.5, 2, 5]
    assert data.timestamps.tolist() == [30, -10, 20]


def test_load_interactions_needs_only_user_and_item(write):
    data = load_interactions(write("user,item\nAnn,Heat\n"))
    assert data.values.tolist() == [1.0]
    assert data.timestamps is None


def test_load_interactions_keeps_duplicates(write):
    data = load_interactions(write("user,item\nAnn,Heat\nAnn,Heat\n"))
    assert data.n_events == 2


def test_load_interactions_of_a_header_alone_has_no_events(write):
    assert load_interactions(write("user,item\n")).n_events == 0


def test_load_interactions_is_named_after_the_file_unless_told(write):
    path = write("user,item\n", "loans.2024.csv")
    assert load_interactions(path).name == "loans.2024"
    assert load_interactions(path, name="loans").name == "loans"


def test_load_interactions_reads_gzip(write):
    path = write(gzip.compress(b"user,item\nAnn,Heat\n"), "loans.csv.gz")
    data = load_interactions(path)
    assert (events_of(data), data.name) == ([("Ann", "Heat")], "loans")


def test_load_interactions_reads_other_delimiters_and_encodings(write):
    path = write("user;item\nZoë;Heat, the film\n".encode("latin-1"))
    data = load_interactions(path, delimiter=";", encoding="latin-1")
    assert events_of(data) == [("Zoë", "Heat, the film")]


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf_8"])
def test_load_interactions_passes_over_a_byte_order_mark(write, encoding):
    path = write(b"\xef\xbb\xbfuser,item\nAnn,Heat\n")
    assert events_of(load_interactions(path, encoding=encoding)) == [("Ann", "Heat")]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_load_interactions_reads_both_line_ends_and_passes_over_empty_lines(write, newline):
    path = write(newline.join(["user,item", "Ann,Heat", "", "Ben,Alien", "", ""]))
    assert events_of(load_interactions(path)) == [("Ann", "Heat"), ("Ben", "Alien")]


def test_load_interactions_reads_quoted_fields(write):
    path = write('user,item\n"Ann ""A""","Heat,\n1995"\n')
    assert events_of(load_interactions(path)) == [('Ann "A"', "Heat,\n1995")]


def test_load_interactions_does_not_mend_text(write):
    assert load_interactions(write("user,item\nAnn,Heat\nAnn ,Heat\n")).n_users == 2


def test_load_interactions_lets_one_column_play_two_parts(write):
    data = load_interactions(write("user,item\nAnn,7\n"), value="item", timestamp="item")
    assert (events_of(data), data.values.tolist(), data.timestamps.tolist()) == ([("Ann", "7")], [7.0], [7])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        (" 1445714994 ", 1_445_714_994),
        ("1970-01-02", 86_400),
        ("1970-01-01T00:01:00Z", 60),
        ("1970-01-01 01:00:00+01:00", 0),
        ("1969-12-31T23:59:59", -1),
        ("1969-12-31T23:59:59.250", -1),
        ("2000-02-29T12:00:00", 951_825_600),
    ],
)
def test_load_interactions_turns_times_into_seconds(write, text, seconds):
    data = load_interactions(write(f"user,item,time\nAnn,Heat,{text}\n"), timestamp="time")
    assert data.timestamps.tolist() == [seconds]


@pytest.mark.parametrize("text", ["yesterday", "", "1.5.2", "29/02/2024", "2023-02-29", "１２", "nan", "1e999"])
def test_load_interactions_refuses_an_unreadable_time(write, text):
    path = write(f"user,item,time\nAnn,Heat,0\nAnn,Heat,{text}\n")
    with pytest.raises(ValueError, match=r"events\.csv, line 3, column 'time': expected seconds"):
        load_interactions(path, timestamp="time")


@pytest.mark.parametrize("text", ["1445714994000", "-1445714994000"])
def test_load_interactions_suspects_milliseconds(write, text):
    path = write(f"user,item,time\nAnn,Heat,{text}\n")
    with pytest.raises(ValueError, match=r"line 2, column 'time': .*divide milliseconds by 1000"):
        load_interactions(path, timestamp="time")


@pytest.mark.parametrize("text", ["good", "", "4,5", "nan", "inf", "-Infinity", "1e39", "1e999", "4_5"])
def test_load_interactions_refuses_a_value_that_is_no_finite_number(write, text):
    path = write(f'user,item,stars\nAnn,Heat,4\nAnn,Heat,"{text}"\n')
    with pytest.raises(ValueError, match=r"events\.csv, line 3, column 'stars': expected a finite number .* received"):
        load_interactions(path, value="stars")


@pytest.mark.parametrize(("line", "column"), [(",Heat", "user"), ("Ann,", "item"), ("  ,Heat", "user")])
def test_load_interactions_refuses_an_empty_label(write, line, column):
    path = write(f"user,item\nAnn,Heat\n{line}\n")
    with pytest.raises(ValueError, match=rf"events\.csv, line 3, column '{column}': expected a name"):
        load_interactions(path)


@pytest.mark.parametrize(("line", "n_fields"), [("Ann", 1), ("Ann,Heat,4", 3)])
def test_load_interactions_refuses_another_number_of_fields(write, line, n_fields):
    path = write(f"user,item\nAnn,Heat\n{line}\nAnn,Heat\n")
    with pytest.raises(ValueError, match=rf"line 3: expected 2 fields as in the header, received {n_fields}"):
        load_interactions(path)


def test_load_interactions_counts_physical_lines(write):
    # the first event covers lines 2 and 3, line 4 is empty, the bad event begins on line 5
    path = write('user,item\n"Ann\nLee",Heat\n\n"Ben\nLee",\n')
    with pytest.raises(ValueError, match="line 5, column 'item'"):
        load_interactions(path)


def test_load_interactions_refuses_an_open_quote_and_says_where_it_opens(write):
    path = write('user,item\nAnn,Heat\n"Ben,Alien\nCid,Up\n')
    with pytest.raises(ValueError, match=r"events\.csv, line 3: .*quote that is not closed"):
        load_interactions(path)


@pytest.mark.parametrize(
    ("column", "advice"),
    [("userid", "did you mean 'userId'"), ("user", "did you mean 'userId'"), ("xyz", "name the columns with")],
)
def test_load_interactions_lists_the_columns_and_suggests_the_nearest(write, column, advice):
    path = write("userId,item, stars\nAnn,Heat,4\n")
    expected = rf"line 1: no column '{column}'; there are 'userId', 'item', ' stars'; {advice}"
    with pytest.raises(ValueError, match=expected):
        load_interactions(path, user=column)


def test_load_interactions_refuses_a_column_that_is_there_twice(write):
    with pytest.raises(ValueError, match="expected one column 'item', received 2"):
        load_interactions(write("user,item,item\nAnn,Heat,Up\n"))


@pytest.mark.parametrize("content", ["", "\n\n", b"\xef\xbb\xbf"])
def test_load_interactions_refuses_an_empty_file(write, content):
    with pytest.raises(ValueError, match=r"events\.csv is empty; expected a line of column names"):
        load_interactions(write(content))


def test_load_interactions_names_the_line_that_is_not_utf8(write):
    path = write(b"user,item\nAnn,Heat\nZo\xeb,Heat\n")
    with pytest.raises(ValueError, match=r'line 3: expected text in utf-8, received the byte 0xeb; .*"latin-1"'):
        load_interactions(path)


@pytest.mark.parametrize("content", [b"user,item\n", gzip.compress(b"user,item\nAnn,Heat\n", mtime=0)[:-9]])
def test_load_interactions_refuses_a_broken_gzip_file(write, content):
    with pytest.raises(ValueError, match=r"events\.csv\.gz is not a whole gzip file"):
        load_interactions(write(content, "events.csv.gz"))


def test_load_interactions_refuses_an_unknown_encoding(write):
    with pytest.raises(ValueError, match="expected a known encoding, received 'klingon'"):
        load_interactions(write("user,item\n"), encoding="klingon")


@pytest.mark.parametrize("delimiter", ["", "\n", None])
def test_load_interactions_refuses_what_is_no_delimiter(write, delimiter):
    with pytest.raises(ValueError, match='expected a delimiter such as "," or "::", received'):
        load_interactions(write("user,item\n"), delimiter=delimiter)


@pytest.mark.parametrize("quote", ["", ",", '""'])
def test_load_interactions_refuses_what_is_no_quote(write, quote):
    with pytest.raises(ValueError, match="expected quote to be one character other than the delimiter"):
        load_interactions(write("user,item\n"), quote=quote)


def test_load_interactions_reads_a_delimiter_of_two_characters(write):
    data = load_interactions(
        write('user::item::stars\nAnn::"Heat": 2, 3::4\n\nBen::Up::5\n'), delimiter="::", value="stars"
    )
    assert data.item_labels.tolist() == ['"Heat": 2, 3', "Up"]
    assert data.values.tolist() == [4, 5]


def test_load_interactions_of_two_characters_counts_fields(write):
    with pytest.raises(ValueError, match="line 3: expected 2 fields as in the header, received 3"):
        load_interactions(write("user::item\nAnn::Heat\nAnn::Heat::4\n"), delimiter="::")


# Last.fm's list of artists has names such as "Weird Al" with one quote mark lost.
@pytest.mark.parametrize("rest", ["", "\tx"])
def test_load_interactions_refuses_quotes_that_swallow_events(write, rest):
    text = f'user\titem{rest}\nu1\t"Heroes{rest}\nu2\tLow"{rest}\n'
    with pytest.raises(ValueError, match=r"line 2: a quote is opened here and closed 1 line\(s\) .*pass quote=None"):
        load_interactions(write(text), delimiter="\t")
    data = load_interactions(write(text), delimiter="\t", quote=None)
    assert data.item_labels.tolist() == ['"Heroes', 'Low"']


def test_load_interactions_reads_a_quoted_text_of_several_lines(write):
    data = load_interactions(write('user,item,note\nAnn,Heat,"good,\nlong"\nBen,Up,\n'))
    assert data.n_events == 2


def test_load_interactions_reads_a_file_without_column_names(write):
    text = "196\t242\t3\t881250949\n186\t302\t3\t891717742\n"
    options = {"delimiter": "\t", "value": "stars", "timestamp": "time"}
    data = load_interactions(write(text), columns=["user", "item", "stars", "time"], **options)
    assert data.n_events == 2
    assert data.timestamps.tolist() == [881250949, 891717742]


@pytest.mark.parametrize(("text", "names"), [("196,242\n186,302\n", ("196", "242")), ("1,2,.5\n3,4,1e3\n", ("1", "2"))])
def test_load_interactions_does_not_take_an_event_for_column_names(write, text, names):
    with pytest.raises(ValueError, match=r"line 1: expected column names, received .* looks like an event; .*columns="):
        load_interactions(write(text), user=names[0], item=names[1])


def test_load_interactions_says_that_names_are_missing_when_it_looks_for_one(write):
    with pytest.raises(ValueError, match=r"line 1: .*'196', '242'.*columns="):
        load_interactions(write("196,242\n186,302\n"))


def test_load_interactions_refuses_names_that_are_given_twice(write):
    with pytest.raises(ValueError, match="line 1: the file has a line of column names; leave columns out"):
        load_interactions(write("user,item\nAnn,Heat\n"), columns=["user", "item"])


@pytest.mark.parametrize("columns", [[], [1, 2]])
def test_load_interactions_refuses_columns_that_are_no_names(write, columns):
    with pytest.raises(ValueError, match="expected columns to be the names of all columns"):
        load_interactions(write("Ann,Heat\n"), columns=columns)


@pytest.mark.parametrize("delimiter", [";", "\t", "|", "::"])
def test_load_interactions_names_the_delimiter_that_the_file_has(write, delimiter):
    with pytest.raises(ValueError, match=re.escape(f"pass delimiter={delimiter!r}")):
        load_interactions(write(delimiter.join(["user", "item"]) + "\n"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_load_interactions_names_the_encoding_of_a_byte_order_mark(write, encoding):
    path = write("user,item\nAnn,Heat\n".encode(encoding))
    with pytest.raises(ValueError, match=f'begins as {encoding} does; pass encoding="{encoding}"'):
        load_interactions(path)
    assert load_interactions(path, encoding=encoding).n_events == 1


def test_load_interactions_suspects_utf_16_without_a_mark(write):
    with pytest.raises(ValueError, match=r'line 1: expected text, received a character of value 0.*"utf-16-le"'):
        load_interactions(write("user,item\n".encode("utf-16-le")))


@pytest.mark.parametrize("name", ["events.csv", "events.csv.GZ", "events"])
def test_load_interactions_unpacks_gzip_whatever_the_file_is_called(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"user,item\nAnn,Heat\n", mtime=0))
    data = load_interactions(path)
    assert (data.n_events, data.name) == (1, "events")


@pytest.mark.parametrize(("beginning", "kind"), [(b"PK\x03\x04", "zip"), (b"PAR1", "Parquet"), (b"BZh9", "bzip2")])
def test_load_interactions_says_what_a_file_is_that_is_no_text(write, beginning, kind):
    with pytest.raises(ValueError, match=rf"expected text in .*, received .*{kind}"):
        load_interactions(write(beginning + b"\x00\x01"))


def test_load_interactions_of_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.csv"):
        load_interactions(tmp_path / "nothing.csv")
