"""What a microscope adds to a sample: set point, resolution, image, distortion, noise, scan.

``scan`` makes whole measurements of a superconductor that is known. Its parts are functions of
their own: impurities on random ``sites``, the ``image`` of values on lattice sites, energy
``resolution``, ``scan_noise``, ``distortion`` by drift and creep, the ``setpoint`` and its
``contour``. Only ``scan`` and ``integrated`` ask the kernel.
"""
