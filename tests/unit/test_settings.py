"""Where settings come from, and which source wins."""

import pytest

from understudy.settings import ZERO_MEANS_SOMETHING, Settings, SettingsError, about, load_settings


def test_a_flag_wins_over_the_environment_and_the_environment_over_the_file(tmp_path):
    (tmp_path / "understudy.toml").write_text("lease_s = 1.0\nslots = 2\nport = 1\n")
    environ = {"UNDERSTUDY_SLOTS": "3", "UNDERSTUDY_PORT": "2"}
    settings = load_settings({"data_dir": str(tmp_path), "port": 0, "host": None}, environ)
    assert (settings.lease_s, settings.slots, settings.port, settings.host) == (1.0, 3, 0, Settings().host)


def test_a_value_of_the_wrong_type_is_refused_with_the_name_of_the_setting():
    with pytest.raises(SettingsError, match="slots from the environment has the value 'many'"):
        load_settings({}, {"UNDERSTUDY_SLOTS": "many"})


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("callbacks_at_once", "0"),
        ("probes_at_once", "0"),
        ("fetch_deadline_s", "0"),
        ("fetch_deadline_s", "nan"),
        ("lease_s", "inf"),
    ],
)
def test_a_number_that_would_let_nothing_happen_is_refused(name, given):
    with pytest.raises(SettingsError, match=f"{name} from the environment is {given}.*, but it must be more than 0"):
        load_settings({}, {f"UNDERSTUDY_{name.upper()}": given})


@pytest.mark.parametrize("name", sorted(ZERO_MEANS_SOMETHING))
def test_numbers_that_mean_something_at_zero_may_be_zero_and_not_less(name):
    variable = f"UNDERSTUDY_{name.upper()}"
    assert getattr(load_settings({}, {variable: "0"}), name) == 0
    with pytest.raises(SettingsError, match=f"{name} from the environment is -1.*, but it must not be negative"):
        load_settings({}, {variable: "-1"})


def test_every_default_may_be_given():
    for name, each in Settings.__dataclass_fields__.items():
        if not isinstance(each.default, str):
            load_settings({name: each.default}, {})


def test_an_unknown_setting_in_the_file_is_refused(tmp_path):
    (tmp_path / "understudy.toml").write_text("speed = 9\n")
    with pytest.raises(SettingsError, match="unknown setting 'speed'"):
        load_settings({"data_dir": str(tmp_path)}, {})


def test_a_named_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings({}, {"UNDERSTUDY_CONFIG": str(tmp_path / "none.toml")})


def test_every_setting_has_a_sentence():
    for name in Settings.__dataclass_fields__:
        assert about(name).endswith("."), name
