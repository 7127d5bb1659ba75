"""Paper 001: layer-wise relevance propagation on VGG16, and ranks of intensity."""
