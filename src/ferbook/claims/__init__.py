"""Claims of the papers, the checks that decide them, verdicts, and how a page shows them; the same for every paper."""
