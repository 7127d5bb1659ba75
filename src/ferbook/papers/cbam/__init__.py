"""Paper 000: several emotions per face, ResNet-50 with CBAM."""

#: Modules here with checks, by the paper that they judge.
CHECKS = {"000": ("checks", "run_checks")}
