"""Paper 002: N-hot training labels on FER+ with VGG16, RAN, DAN and MTEN."""
