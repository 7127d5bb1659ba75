"""What the claim file of paper 002 names beyond the facts of its data: printed numbers and recorded runs."""
