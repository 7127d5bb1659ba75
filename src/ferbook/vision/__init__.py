"""From a photograph to an aligned face: detection, landmarks, augmentation, and how well faces are found."""
