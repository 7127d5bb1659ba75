"""One package per paper: its checks, tables, results and quick runs."""
