"""Paper 002: N-hot training labels on FER+ with VGG16, RAN, DAN and MTEN."""

#: Modules here with checks, by the paper that they judge.
CHECKS = {"002": ("checks", "run_checks", "source_checks", "vote_checks")}
