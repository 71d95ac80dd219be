"""Nodes of a gap lie as its crystal's symmetry demands."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import gapscope as gs
from gapscope.physics.gaps.classify import classify_gaps
from gapscope.physics.gaps.fermi_surface import fermi_surface
from gapscope.physics.gaps.on_fermi_surface import gap_on_fermi_surface
from gapscope.physics.group.found import find_group

Array = NDArray[np.float64]


def without_image(nodes: Array, images: Array) -> int:
    """Number of images that are no node, to half a hundredth of the zone."""
    apart = images[:, None] - nodes[None]
    far = np.abs(apart - np.rint(apart)).max(axis=-1).min(axis=1, initial=np.inf)
    return int(np.count_nonzero(far > 0.005))


@pytest.mark.parametrize("name", ["bi2212", "nbse2", "nbse2-substrate"])
def test_images_of_nodes_are_nodes(name: str) -> None:
    """Under every operation that keeps |Delta|: those that take a partner to itself, up to sign,
    and k to -k."""
    material = gs.material(name)
    surface, group = fermi_surface(material.bonds), find_group(material)
    counts = []
    for function in classify_gaps(material, 2):
        for number, gap in enumerate(function.partners):
            nodes = gap_on_fermi_surface(gap, surface).nodes
            counts.append(len(nodes))
            kept = np.abs(function.irrep.matrices[:, number, number]) > 1 - 1e-9
            for w in (one.lattice for one, own in zip(group.operations, kept, strict=True) if own):
                turned = nodes @ np.linalg.inv(w)
                for sign in (1, -1):
                    assert without_image(nodes, sign * turned) == 0, (function.title, number, w)
                    assert len(nodes) % 2 == 0, function.title
    assert max(counts) > 4
