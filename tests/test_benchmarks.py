"""Tables of the benchmarks on a terminal and on a page; what they measure is seen by running them."""

from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.page import Page
from benchmarks.tables import Column, Table

TABLE = Table(
    "Two ways",
    "microseconds; the aim is a ratio of at most 2",
    (Column("way"), Column("us"), Column("ratio", 2)),
    [("short", 12.4, None), ("a longer one", 1234.5, 1.333)],
)


def test_a_table_on_a_terminal() -> None:
    assert TABLE.text() == (
        "\nTwo ways\n(microseconds; the aim is a ratio of at most 2)\n\n"
        "way             us  ratio\n"
        "short           12\n"
        "a longer one  1234   1.33"
    )


def test_a_table_on_a_page() -> None:
    assert TABLE.markdown() == (
        "## Two ways\n\nMicroseconds; the aim is a ratio of at most 2.\n\n"
        "| way | us | ratio |\n| --- | ---: | ---: |\n| short | 12 |  |\n| a longer one | 1234 | 1.33 |\n"
    )


def test_a_page_tells_the_computer_and_is_there_from_the_first_moment(tmp_path: Path) -> None:
    file = tmp_path / "report.md"
    page = Page(file)
    begun = file.read_text(encoding="utf-8")
    for fact in ("processor", "memory", "Python", "load"):
        assert f"| {fact}" in begun
    page.add(TABLE)
    assert file.read_text(encoding="utf-8").endswith(TABLE.markdown())


def test_a_page_that_cannot_be_written_is_told_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--report", str(tmp_path / "missing" / "report.md")])
    assert ended.value.code == 2
    assert "cannot be written" in capsys.readouterr().err
