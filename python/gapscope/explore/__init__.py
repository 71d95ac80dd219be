"""A page in the browser: a state on sliders, its maps, and what the network says of them.

``state``, ``results``, ``momentum``, ``judge``, ``python_lines``, ``upload`` and ``prepared_map``
compute and, like ``raster``, ``words`` and ``worker``, know no browser. ``figures``,
``simulated_view``, ``measured_view``, ``controls`` and ``files`` are parts of the ``page`` that
``serve`` serves, at an ``address`` that ``guard`` keeps others from.
"""
