"""What the claim files of paper 000 name: its tables, and what its recorded runs found."""
