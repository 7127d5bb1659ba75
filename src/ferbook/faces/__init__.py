"""What a face and its label are: face sets, emotions, labels from votes, splits, folds, raters."""
