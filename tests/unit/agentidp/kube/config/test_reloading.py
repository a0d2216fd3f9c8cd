"""Values that are read from files, and read again when the files change."""

import logging
from pathlib import Path

import pytest

from agentidp.kube.config.reloading import FileValue
from agentidp.kube.errors import ConfigError


class Words:
    """The words of a file; an empty file has none, and is refused."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.reads = 0
        self.file_value = FileValue([file], self.read)

    def read(self) -> tuple[str, ...]:
        """Count, too."""
        self.reads += 1
        words = tuple(self.file.read_text().split()) if self.file.exists() else ()
        if not words:
            raise ConfigError(f"the file {self.file} is empty.")
        return words


@pytest.fixture
def words(tmp_path: Path) -> Words:
    """Two of them."""
    file = tmp_path / "words"
    file.write_text("one two")
    return Words(file)


def test_file_value_is_read_once_while_the_file_does_not_change(words: Words) -> None:
    """However often it is asked for."""
    assert {words.file_value.current() for _ in range(5)} == {("one", "two")}
    assert words.reads == 1


def test_file_value_follows_the_file(words: Words) -> None:
    """Written in place, put in its place, or by a link that leads elsewhere, as kubelet does it."""
    words.file.write_text("three")
    assert words.file_value.current() == ("three",)
    beside = words.file.with_name("beside")
    beside.write_text("four!")
    beside.replace(words.file)
    assert words.file_value.current() == ("four!",)
    elsewhere = words.file.with_name("elsewhere")
    elsewhere.write_text("five!")
    words.file.unlink()
    words.file.symlink_to(elsewhere)
    assert words.file_value.current() == ("five!",)


def test_file_value_stays_when_the_file_cannot_be_read(words: Words, caplog: pytest.LogCaptureFixture) -> None:
    """Empty, then gone; the log tells of each once."""
    with caplog.at_level(logging.INFO):
        for break_it in (lambda: words.file.write_text(""), words.file.unlink):
            break_it()
            assert [words.file_value.current() for _ in range(3)] == [("one", "two")] * 3
        words.file.write_text("three")
        assert words.file_value.current() == ("three",)
    told = [record.message for record in caplog.records]
    assert [f"the file {words.file} is empty. The former content stays in use: {words.file}"] * 2 == told[:2]
    assert told[2:] == [f"read again after a change: {words.file}"]


def test_file_value_that_is_equal_is_the_former_object(words: Words) -> None:
    """So what was made of it, such as connections, can be used again."""
    before = words.file_value.current()
    words.file.write_text("one  two")
    assert words.file_value.current() is before
    assert words.reads == 2


def test_file_value_has_to_be_readable_at_first(tmp_path: Path) -> None:
    """There is nothing to go on with."""
    with pytest.raises(ConfigError, match="is empty"):
        Words(tmp_path / "missing")
