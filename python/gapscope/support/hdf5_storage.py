"""What an HDF5 file of a stranger may make libhdf5 do: read data of its own, of moderate size.

Imports nothing of gapscope, so that the process which reads measured files starts at once.
"""

from __future__ import annotations

import math
import zlib

import h5py

MOST_BYTES = 2**27
"""Largest chunk and largest attribute: libhdf5 unpacks each of them whole."""
MOST_ENTRIES = 10_000
CHECKSUM = 4
"""Bytes that the fletcher32 filter adds to a chunk."""


def link_fault(file: h5py.File) -> str | None:
    """The first link that is not a hard one, and may lead out of the file."""
    seen = 0

    def look(name: str, link: object) -> str | None:
        nonlocal seen
        seen += 1
        if seen > MOST_ENTRIES:
            return f"more than {MOST_ENTRIES} entries"
        return None if isinstance(link, h5py.HardLink) else f"{name[:80]}: {type(link).__name__}"

    return file.visititems_links(look)  # type: ignore[no-any-return]


def storage_fault(found: h5py.Dataset, most: int = MOST_BYTES) -> str | None:
    """Why the data of a variable are not read, None where they are.

    They lie in other files, are packed by another filter than gzip, or lie in chunks that have more
    than ``most`` bytes or unpack to more than they declare.
    """
    pipeline = found.id.get_create_plist()
    filters = {pipeline.get_filter(i)[0] for i in range(pipeline.get_nfilters())}
    known = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
    size = math.prod(found.chunks or (0,)) * found.dtype.itemsize
    if found.external or found.is_virtual or filters - known or size > most:
        outside = bool(found.external) or bool(found.is_virtual)
        return f"filters {sorted(filters)}, external {outside}, chunks of {size} bytes"
    if h5py.h5z.FILTER_DEFLATE not in filters:
        return None
    whole = size + CHECKSUM
    for i in range(found.id.get_num_chunks()):
        skipped, packed = found.id.read_direct_chunk(found.id.get_chunk_info(i).chunk_offset)
        if not skipped and len(zlib.decompressobj().decompress(packed, whole + 1)) > whole:
            return f"a chunk that unpacks to more than its {size} bytes"
    return None


def attributes_fault(found: h5py.Dataset | h5py.Group, most: int = MOST_BYTES) -> str | None:
    """The first attribute that takes more than ``most`` bytes."""
    for name in found.attrs:
        one = found.attrs.get_id(name)
        # HDF5 takes the size of one without values for an error.
        size = one.get_storage_size() if one.get_space().get_simple_extent_npoints() else 0
        if size > most:
            return f"attribute {name[:80]} of {size} bytes"
    return None
