"""The catalog: what can be named, and what is said of names that are not there."""

from pathlib import Path

import pytest

from globmed.core.errors import InputError, UsageError
from globmed.models.baseline import Majority
from globmed.models.catalog import catalog_rows, open_client, preset_rows
from globmed.models.http_api import HttpModel


def test_every_row_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLOBMED_API_KEY", raising=False)
    for row in catalog_rows():
        client = open_client({"majority": "majority:A=1"}.get(row.id, row.id))
        assert client.model == row.id
        assert client.on_this_machine
    for preset in preset_rows():
        if preset.key_variable:
            monkeypatch.delenv(preset.key_variable, raising=False)
            with pytest.raises(UsageError, match=f"set the environment variable {preset.key_variable}"):
                open_client(f"api:some/model:7b@{preset.id}")
            monkeypatch.setenv(preset.key_variable, "a-key")
        client = open_client(f"api:some/model:7b@{preset.id}")
        assert isinstance(client, HttpModel)
        assert client.model == "some/model:7b"
        assert client.place == f"{preset.base_url}/chat/completions"
        # An endpoint off this machine has a key, one on it has none.
        assert client.on_this_machine == (not preset.key_variable)
        assert preset.source.startswith("https://")


def test_parameter_names_come_from_the_preset(monkeypatch: pytest.MonkeyPatch, ask: object) -> None:
    assert callable(ask)
    monkeypatch.setenv("OPENAI_API_KEY", "a-key")
    sent = open_client("api:gpt-4o@openai").sent(ask())
    assert sent["max_completion_tokens"] == 512
    assert "max_tokens" not in sent


def test_majority_takes_its_table_in_the_name() -> None:
    client = open_client("majority:A=1, B=20")
    assert client.revision == Majority({"A": 1, "B": 20}).revision


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("chanse", "did you mean 'chance'"),
        ("longst", "did you mean 'longest'"),
        ("", "no model named ''"),
        ("gpt-4o", "api:MODEL@BASE_URL"),
        ("chance:3", "takes no argument"),
        ("majority", "needs an argument"),
        ("local", "needs an argument"),
        ("majority:A", "each letter once"),
        ("majority:A=1,A=2", "each letter once"),
        ("majority:K=1", "letters from A to J"),
        ("api:gpt-4o", "api:MODEL@PRESET"),
        ("api:gpt-4o@", "api:MODEL@PRESET"),
        ("api:gpt-4o@opnai", "did you mean 'openai'"),
        ("api:m@ftp://host/v1", "expected one like"),
        ("api:m@http://", "expected one like"),
        ("api:m@http://[", "expected one like"),
        ("api:m@http://host:port/v1", "expected one like"),
    ],
)
def test_wrong_names_are_said_to_be_so(spec: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_client(spec)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_no_model_is_bad_input(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the extra `local` is not installed")
    with pytest.raises(InputError, match=r"config\.json"):
        open_client(f"local:{tmp_path}")
