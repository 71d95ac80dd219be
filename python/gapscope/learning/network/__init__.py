"""The network: backbones, two heads, precision, and the options that make it again."""
