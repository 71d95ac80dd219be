"""A page in the browser: a state on sliders, its maps, and what the network says of them.

``state``, ``results``, ``momentum``, ``judge``, ``lines``, ``upload`` and ``preparation`` compute
and, like ``raster``, ``words`` and ``worker``, know no browser. ``figures``, ``simulation``,
``measurement``, ``controls`` and ``files`` are parts of the ``page`` that ``serve`` serves, at an
``address`` that ``guard`` keeps others from.
"""
