"""Papers 003 and 004: valence, arousal and dominance beside the emotion, with a consistency loss."""

#: Modules here with checks.
_BOTH = ("checks", "number_checks", "run_checks", "text_checks")
#: The letter 004 repeats the method of 003 and is judged by the same checks.
CHECKS = {"003": _BOTH, "004": _BOTH}
