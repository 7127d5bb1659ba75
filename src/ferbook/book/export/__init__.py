"""Claims and results to take away: CSV with a data dictionary, JSON-LD, and what describes them (Data Package)."""
