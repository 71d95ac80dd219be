"""What a network reads and learns: inputs, targets, samples, augmentation."""
