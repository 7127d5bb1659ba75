"""What the claim file of paper 002 names beyond the data's facts: its printed numbers, and what its recorded runs found."""
