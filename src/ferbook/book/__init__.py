"""How pages become a book: execution, site, scoreboard, findings, coverage, the network in the browser."""
