"""Papers 003 and 004: valence, arousal and dominance beside the emotion, with a consistency loss."""
