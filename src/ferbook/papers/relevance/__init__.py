"""Paper 001: layer-wise relevance propagation on VGG16, and ranks of intensity."""

#: Modules here with checks, by the paper that they judge.
CHECKS = {"001": ("checks", "score_checks", "text_checks")}
