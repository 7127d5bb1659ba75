"""Paper 000: several emotions per face, ResNet-50 with CBAM."""
