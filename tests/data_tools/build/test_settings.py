"""Settings are refused where they are put together, by name."""

import pytest

from data_tools.build.settings import BuildSettings, SequenceSettings, SettingsError, SynthSettings


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        (SynthSettings, {"preset": "fog"}, "`preset` must be one of light, medium, heavy, multi, got 'fog'"),
        (SynthSettings, {"seed": -1}, "`seed` must be at least 0, got -1"),
        (SynthSettings, {"val_share": 1.0}, "`val_share` must be below 1, got 1"),
        (SynthSettings, {"val_share": float("nan")}, "`val_share` must be at least 0, got nan"),
        (BuildSettings, {"pairs": 0}, "`pairs` must be at least 1, got 0"),
        (BuildSettings, {"crop": 0}, "`crop` must be at least 1"),
        (BuildSettings, {"every": -0.1}, "`every` must be at least 0"),
        (BuildSettings, {"accept": float("nan")}, "`accept` must be at least 0"),
        (BuildSettings, {"val_share": 0.6, "test_share": 0.4}, "must leave something to train on, got 0.6 and 0.4"),
        (SequenceSettings, {"frames": 1}, "`frames` must be at least 2, got 1"),
        (SequenceSettings, {"every": 0.0}, "`every` must be above 0 for sequences, got 0"),
        (SequenceSettings, {"val_share": 0.6, "test_share": 0.4}, "must leave something to train on"),
    ],
)
def test_settings_out_of_their_range_are_named(kind, settings, said):
    with pytest.raises(SettingsError, match=said):
        kind(**settings)
