"""
Entry points of the kernel host: raw addresses in, results written in place.

A row-major NumPy array (a, b, c) is the column-major Julia array (c, b, a) at the same address.
"""
module Host

using ..GapScope: Bonds, converged_map, grid_dos!, grid_maps!, spectral_function!

"""
    array(T, address, dims)

The array at an address, without a copy; the caller keeps the memory alive.
"""
array(::Type{T}, address::Integer, dims::Tuple{Vararg{Integer}}) where {T} =
    unsafe_wrap(Array, Ptr{T}(UInt(address)), Int.(dims))

# NumPy's matrices[n, i, j] arrive as [j, i, n].
swapped(a) = [a[j, i, n] for i in axes(a, 2), j in axes(a, 1), n in axes(a, 3)]
bonds_from_rows(vectors, matrices) = Bonds(vectors, swapped(matrices))

require_finite(arrays...) = all(a -> all(isfinite, a), arrays) ||
    error("the result is not finite: the T-matrix has a pole at this energy and broadening")

"""
    grid_maps(trace, dos, g0, vectors, matrices, offsets, impurities, energies, broadening, n)

A batch of maps: the bonds of parameter set s are those from offsets[s] + 1 to offsets[s + 1].
"""
function grid_maps(trace, dos, g0, vectors, matrices, offsets, impurities, energies, broadening, n)
    potentials = swapped(impurities)
    for s in axes(potentials, 3)
        own = (offsets[s] + 1):offsets[s + 1]
        bonds = bonds_from_rows(vectors[:, own], matrices[:, :, own])
        local_green = zeros(ComplexF64, size(potentials, 1), size(potentials, 2), length(energies))
        grid_maps!(
            view(trace, :, :, :, s), view(dos, :, s), local_green,
            bonds, potentials[:, :, s], energies, broadening, n,
        )
        g0[:, :, :, s] = swapped(local_green)
    end
    require_finite(trace, dos, g0)
    return nothing
end

"""
    converged_maps(trace, dos, g0, report, vectors, matrices, offsets, impurities, energies, broadening, accuracy, budget)

As `grid_maps`, to an accuracy. `report` is 4 x energies x sets: relative error of drho with and without r = 0,
number of rows, and whether the accuracy was reached.
"""
function converged_maps(
    trace, dos, g0, report, vectors, matrices, offsets, impurities, energies, broadening, accuracy, budget
)
    potentials, window = swapped(impurities), size(trace, 1)
    for s in axes(potentials, 3)
        own = (offsets[s] + 1):offsets[s + 1]
        bonds = bonds_from_rows(vectors[:, own], matrices[:, :, own])
        for (e, w) in enumerate(energies)
            z = complex(w, broadening)
            map = converged_map(bonds, potentials[:, :, s], z, window, accuracy, budget)
            trace[:, :, e, s] = map.trace
            dos[e, s] = map.dos
            g0[:, :, e, s] = transpose(map.g0)
            report[:, e, s] = [map.error, map.error_away, map.rows, map.reached]
        end
    end
    require_finite(trace, dos, g0, report)
    return nothing
end

"""
    warm_up()

Compute one small map of a model with bonds as far as NbSe2's, so that a host that reports itself ready has
compiled most of what every call needs.
"""
function warm_up()
    hop, pair = [1.0 0 0 0; 0 1 0 0; 0 0 -1 0; 0 0 0 -1], [0.0 0 0 1; 0 0 -1 0; 0 -1 0 0; 1 0 0 0]
    vectors, matrices = [0 0 0; -4 0 4], complex(cat(hop, pair, hop; dims = 3))
    window = 4
    converged_maps(
        zeros(ComplexF64, window, window, 1, 1), zeros(1, 1), zeros(ComplexF64, 4, 4, 1, 1), zeros(4, 1, 1),
        vectors, matrices, [0, 3], complex(reshape(hop, 4, 4, 1)), [0.0], 0.1, 0.1, 1000,
    )
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
