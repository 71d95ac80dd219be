"""
Entry points of the kernel host: raw addresses in, results written in place.

A row-major NumPy array (a, b, c) is the column-major Julia array (c, b, a) at the same address.
"""
module Host

using ..GapScope:
    GapScope, Bonds, Scatterers, converged_dos!, copy_green!, energy_groups, green_change, green_range, grid_dos!,
    grid_green!, grid_maps!, spectral_function!

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
    batch_maps(evaluate, vectors, matrices, offsets, sites, site_offsets, pairs, potentials, pair_offsets, layers)

Calls evaluate(s, bonds, scatterers) for every parameter set s: its bonds are those from offsets[s] + 1 to
offsets[s + 1], likewise the sites of its impurities and the pairs of its own sites (counted from 0) that each block
of the potential couples. `layers` counts from 0, too.
"""
function batch_maps(
    evaluate, vectors, matrices, offsets, sites, site_offsets, pairs, potentials, pair_offsets, layers
)
    part(limits, s) = (limits[s] + 1):limits[s + 1]
    for s in 1:(length(offsets) - 1)
        own, its = part(offsets, s), part(pair_offsets, s)
        places = [(sites[1, n], sites[2, n]) for n in part(site_offsets, s)]
        coupled = [(pairs[1, n] + 1, pairs[2, n] + 1) for n in its]
        scatterers = Scatterers(places, coupled, swapped(potentials[:, :, its]), layers .+ 1)
        evaluate(s, bonds_from_rows(vectors[:, own], matrices[:, :, own]), scatterers)
    end
end

"""
    grid_maps(trace, dos, g0, vectors, matrices, offsets, sites, site_offsets, pairs, potentials, pair_offsets, layers,
              energies, broadening, n)

A batch of maps on a uniform grid. `trace` is L x L x (layers x energies) x sets.
"""
function grid_maps(
    trace, dos, g0, vectors, matrices, offsets, sites, site_offsets, pairs, potentials, pair_offsets, layers, energies,
    broadening, n,
)
    batch_maps(
        vectors, matrices, offsets, sites, site_offsets, pairs, potentials, pair_offsets, layers
    ) do s, bonds, scatterers
        local_green = zeros(ComplexF64, size(g0, 1), size(g0, 2), length(energies))
        grid_maps!(view(trace, :, :, :, s), view(dos, :, s), local_green, bonds, scatterers, energies, broadening, n)
        g0[:, :, :, s] = swapped(local_green)
    end
    require_finite(trace, dos, g0)
    return nothing
end

"""
    converged_maps(trace, dos, g0, report, vectors, matrices, offsets, sites, site_offsets, pairs, potentials,
                   pair_offsets, layers, energies, broadening, accuracy, budget)

As `grid_maps`, to an accuracy. `report` is 4 x energies x sets: relative error of drho with and without the
impurities' sites, number of rows, and whether the accuracy was reached.
"""
function converged_maps(
    trace, dos, g0, report, vectors, matrices, offsets, sites, site_offsets, pairs, potentials, pair_offsets, layers,
    energies, broadening, accuracy, budget,
)
    window, count = size(trace, 1), maximum(layers) + 1
    batch_maps(
        vectors, matrices, offsets, sites, site_offsets, pairs, potentials, pair_offsets, layers
    ) do s, bonds, scatterers
        for group in energy_groups(bonds, energies)
            z = complex(energies[group[1]], broadening)
            both = length(group) > 1
            maps, rows, reached = GapScope.converged_maps(bonds, scatterers, z, window, accuracy, budget; both = both)
            for (e, map) in zip(group, maps)
                trace[:, :, ((e - 1) * count + 1):(e * count), s] = map.trace
                dos[e, s] = map.dos
                g0[:, :, e, s] = transpose(map.g0)
                report[:, e, s] = [map.error, map.error_away, rows, reached]
            end
        end
    end
    require_finite(trace, dos, g0, report)
    return nothing
end

"""
    grid_green(out, vectors, matrices, energies, broadening, n)

The whole of G(r; w) on a uniform grid. `out` is column x row x r2 x r1 x energies.
"""
function grid_green(out, vectors, matrices, energies, broadening, n)
    grid_green!(out, bonds_from_rows(vectors, matrices), energies, broadening, n)
    require_finite(out)
    return nothing
end

"""
    converged_green(out, error, report, vectors, matrices, sites, pairs, potentials, scatters, window, energies,
                    broadening, accuracy, budget)

As `grid_green`, to an accuracy. `error` is the estimate of the error of `out`; `report` is 4 x energies: relative
error of G over the sites of `out` with and without r = 0, number of rows, and whether the accuracy was reached.
"""
function converged_green(
    out, error, report, vectors, matrices, sites, pairs, potentials, scatters, window, energies, broadening, accuracy,
    budget,
)
    bonds = bonds_from_rows(vectors, matrices)
    places = [(sites[1, n], sites[2, n]) for n in axes(sites, 2)]
    coupled = [(pairs[1, n] + 1, pairs[2, n] + 1) for n in axes(pairs, 2)]
    s = Scatterers(places, coupled, swapped(potentials), ones(Int, size(potentials, 1) ÷ 2))
    reach = size(out, 4) ÷ 2
    half = max(green_range(s, window), reach == window ÷ 2 ? reach : 8cld(reach, 8))
    for group in energy_groups(bonds, energies)
        z = complex(energies[group[1]], broadening)
        greens, rows, reached = GapScope.converged_green(
            bonds, s, z, window, half, accuracy, budget, scatters; both = length(group) > 1
        )
        for (e, (green, shifted)) in zip(group, greens)
            copy_green!(view(out, :, :, :, :, e), green)
            copy_green!(view(error, :, :, :, :, e), shifted)
            report[:, e] = [green_change(green, shifted, reach)..., rows, reached]
        end
    end
    error .-= out
    require_finite(out, error, report)
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
        vectors, matrices, [0, 3], zeros(Int, 2, 1), [0, 1], zeros(Int, 2, 1), complex(reshape(hop, 4, 4, 1)), [0, 1],
        [0, 0], [0.0], 0.1, 0.1, 1000,
    )
    return nothing
end

function converged_states(dos, own, report, vectors, matrices, energies, broadening, accuracy, budget)
    converged_dos!(dos, own, report, bonds_from_rows(vectors, matrices), energies, broadening, accuracy, budget)
    require_finite(dos, own, report)
    return nothing
end

function grid_states(dos, own, vectors, matrices, energies, broadening, n)
    grid_dos!(dos, own, bonds_from_rows(vectors, matrices), energies, broadening, n)
    require_finite(dos, own)
    return nothing
end

function spectral_function(a, vectors, matrices, momenta, energies, broadening)
    spectral_function!(a, bonds_from_rows(vectors, matrices), momenta, energies, broadening)
    require_finite(a)
    return nothing
end

end
