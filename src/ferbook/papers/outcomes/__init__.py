"""Paper 004: final scores of students from their learning data and emotions."""
