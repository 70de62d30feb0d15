"""Errors as people read them."""

from globmed.core.errors import InputError


def test_an_error_is_one_line_whatever_stands_in_the_file() -> None:
    error = InputError.at("a.csv:3", found="the options x\ny\x1b[31m\u2028, ọ̀kan", expected="option1")
    assert str(error) == "a.csv:3: found the options x\\ny\\x1b[31m\\u2028, ọ̀kan; expected option1"
