"""What there is: networks, presets, recipes and shipped weights, each with what is to be known before it is used."""
