import json
from pathlib import Path

import msgspec
import pytest

from benchmarks import report
from tools.bars import Bar, Chart, draw_bars, spoken
from tools.benchmarks_page import PAGE, generated_pages, read_figures, write_page


def write_figures(folder: Path, name: str, **changed: object) -> None:
    made = report.Report(
        question=f"Is {name} fast?",
        method="The first line.\n\nHow it was measured.",
        machine={"cores": "2"},
        settings={"rounds": 3},
        columns=("what", "ms"),
        rows=(("ours | theirs", 1.234),),
        verdicts=("Goal: 2: met.",),
        charts=(report.Chart(title="Time", unit="ms", bars=(report.bar("ours", [1, 2, 3]),)),),
    )
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    report.publish(made, file)
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))


def chart(**changed: object) -> Chart:
    given = {"title": "T", "unit": "ms", "bars": (Bar(label="a", value=2, low=1, high=3),)}
    return Chart(**(given | changed))


def test_the_page_has_every_benchmark_with_its_method_table_plot_and_memory(tmp_path: Path):
    write_figures(tmp_path, "hit")

    page = write_page(read_figures(tmp_path))

    for line in (
        "## hit",
        "Is hit fast?",
        "How it was measured.",
        "Settings: rounds 3.",
        "| ours \\| theirs | 1.23 |",
        "![Time](benchmarks/hit-1.svg)",
        "Goal: 2: met.",
        "| the benchmark | ",
    ):
        assert line in page


def test_the_questions_come_in_the_order_of_the_page_and_others_after_them(tmp_path: Path):
    for name in ("aaa", "hit", "distinct"):
        write_figures(tmp_path, name)

    assert list(read_figures(tmp_path)) == ["distinct", "hit", "aaa"]


def test_every_plot_is_a_generated_file(tmp_path: Path):
    write_figures(tmp_path / "docs" / "benchmarks", "hit")

    assert list(generated_pages(tmp_path)) == [PAGE, "docs/benchmarks/hit-1.svg"]


def test_a_file_that_no_benchmark_wrote_is_refused_by_name(tmp_path: Path):
    (tmp_path / "odd.json").write_text('{"question": 1}')

    with pytest.raises(msgspec.ValidationError, match=r"odd\.json"):
        read_figures(tmp_path)


def test_figures_of_a_benchmark_without_plots_are_taken(tmp_path: Path):
    write_figures(tmp_path, "old")
    figures = json.loads((tmp_path / "old.json").read_text())
    for name in ("method", "charts", "memory"):
        del figures[name]
    (tmp_path / "old.json").write_text(json.dumps(figures))

    assert "## old" in write_page(read_figures(tmp_path))


def test_a_plot_shows_the_goal_where_there_is_one():
    assert "goal 2.50" in draw_bars(chart(goal=2.5))
    assert "goal" not in draw_bars(chart())


def test_words_in_a_plot_cannot_break_it():
    drawn = draw_bars(chart(title='<a> & "b"'))

    assert "&lt;a&gt; &amp; &quot;b&quot;" in drawn


def test_a_figure_in_a_plot_has_three_digits_that_count():
    assert [spoken(value) for value in (0.123, 12.34, 1234.5)] == ["0.12", "12.3", "1,234"]


def test_a_bar_of_one_measurement_has_no_spread():
    assert report.bar("one", [2.0]) == report.Bar(label="one", value=2.0, low=2.0, high=2.0)
