"""The command line, one module per command: `add(parser)` names its arguments, `run(args)` does it and returns plain values."""
