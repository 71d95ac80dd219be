"""
Entry points of the kernel host: raw addresses in, results written in place.

A row-major NumPy array (a, b, c) is the column-major Julia array (c, b, a) at the same address.
"""
module Host

using ..GapScope: Bonds, grid_dos!, grid_maps!, spectral_function!

"""
    array(T, address, dims)

The array at an address, without a copy; the caller keeps the memory alive.
"""
array(::Type{T}, address::Integer, dims::Tuple{Vararg{Integer}}) where {T} =
    unsafe_wrap(Array, Ptr{T}(UInt(address)), Int.(dims))

# NumPy's matrices[n, i, j] arrive as [j, i, n].
bonds_from_rows(vectors, matrices) = Bonds(vectors, permutedims(matrices, (2, 1, 3)))

require_finite(arrays...) = all(a -> all(isfinite, a), arrays) ||
    error("the result is not finite: the T-matrix has a pole at this energy and broadening")

"""
    grid_maps(trace, dos, g0, vectors, matrices, offsets, impurities, energies, broadening, n)

A batch of maps: the bonds of parameter set s are those from offsets[s] + 1 to offsets[s + 1].
"""
function grid_maps(trace, dos, g0, vectors, matrices, offsets, impurities, energies, broadening, n)
    for s in axes(impurities, 3)
        own = (offsets[s] + 1):offsets[s + 1]
        bonds = bonds_from_rows(vectors[:, own], matrices[:, :, own])
        local_green = zeros(ComplexF64, size(impurities)[1:2]..., length(energies))
        grid_maps!(
            view(trace, :, :, :, s), view(dos, :, s), local_green,
            bonds, permutedims(impurities[:, :, s]), energies, broadening, n,
        )
        g0[:, :, :, s] = permutedims(local_green, (2, 1, 3))
    end
    require_finite(trace, dos, g0)
    return nothing
end

function density_of_states(dos, vectors, matrices, energies, broadening, n)
    grid_dos!(dos, bonds_from_rows(vectors, matrices), energies, broadening, n)
    require_finite(dos)
    return nothing
end

function spectral_function(a, vectors, matrices, momenta, energies, broadening)
    spectral_function!(a, bonds_from_rows(vectors, matrices), momenta, energies, broadening)
    require_finite(a)
    return nothing
end

end
