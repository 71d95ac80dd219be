"""What a microscope adds to a sample: set point, resolution, image, distortion, noise, scan.

``scan`` makes whole measurements of a superconductor that is known. Its parts are functions of
their own: impurities on random ``sites``, the ``image`` of values on lattice sites, energy
``resolution``, ``scan_noise``, ``distortion`` by drift and creep, the ``setpoint`` and its
``contour``. ``tip_states`` are what a tip above the crystal sees. Only ``scan``, ``integrated`` and
``tip_states`` ask the kernel.
"""
