"""Numbers that judge: accuracy and its kin, multi-label measures, regression, intervals; the style of figures."""
