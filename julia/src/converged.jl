"""
    ConvergedMap

A(r) = sum_ab Tr_e [G(r - R_a) T_ab G(R_b - r)] (L x L x layers, [r2, r1, layer]), the estimate of drho's relative
error over all layers with and without the impurities' sites, density of states, and g0.
"""
struct ConvergedMap
    trace::Array{ComplexF64,3}
    error::Float64
    error_away::Float64
    dos::Float64
    g0::Matrix{ComplexF64}
end

larger_error(map::ConvergedMap) = max(map.error, map.error_away)

"""
    converged_maps(bonds, scatterers, z, window, accuracy, budget; both = false)

Maps to a relative accuracy: ||error of drho|| / ||drho|| over the window, with and without the impurities' sites.
One map at z or, with particle-hole symmetry, `both` at z and -z^*. Returns the maps, the number of rows, and whether
all reached the accuracy.

G(r) is integrated over m2 exactly, by the poles of G, and over m1 adaptively. The estimated error of G is carried
through T to the map; while it is too large, the panels with the largest share of it are improved. `budget` is the
largest number of rows.
"""
function converged_maps(
    bonds::Bonds, s::Scatterers, z::Complex, window::Integer, accuracy::Real, budget::Integer; both::Bool = false
)
    half, known = green_range(s, window), families(bonds)
    wanted, whole = touched(s, both), both || several(s)
    solvers = [block_solver(bonds, f.block, z, whole; wanted = related(bonds, f, wanted)) for f in known]
    integrals = [RowIntegral(solver, bonds, z, half) for solver in solvers]
    function present()
        maps = present_maps(bonds, known, integrals, s, window, both)
        return maps, maximum(larger_error, maps)
    end
    return until_accurate(present, integrals, accuracy, budget)
end

"""
    until_accurate(present, integrals, accuracy, budget)

Improve panels until what `present()` makes of them, a result and its error, is accurate, or the rows are used up.
Returns the result, the number of rows, and whether the accuracy was reached.
"""
function until_accurate(present, integrals, accuracy::Real, budget::Integer)
    tolerance, presented = accuracy, nothing
    local result, worst
    while true
        for integral in integrals
            refine!(integral, tolerance, budget)
            measure!(integral)
        end
        panels = map(integral -> integral.panels, integrals)
        panels == presented || ((result, worst) = present())
        presented = copy.(panels)
        spent = all(integral -> integral.rows >= budget || relative_error(integral) == 0, integrals)
        if worst <= accuracy || spent || !isfinite(worst)
            return result, sum(integral -> integral.rows, integrals), worst <= accuracy
        end
        tolerance *= clamp(accuracy / worst, 0.05, 0.7)
    end
end

"""
    present_maps(bonds, families, integrals, scatterers, window, both; bytes = SLICE_BYTES)

The maps, with the errors that they have, from the panels as they are. Elements of G on the window are made slice by
slice of so many bytes, so that memory is that of the panels.
"""
function present_maps(
    bonds::Bonds, known, integrals, s::Scatterers, window::Integer, both::Bool; bytes::Integer = SLICE_BYTES
)
    energies = both ? (identity, mirrored) : (identity,)
    pairs = map(turn -> map(turn, place_greens(bonds, known, integrals, places_between(s))), energies)
    ts = [tmatrix.(pair, Ref(s)) for pair in pairs]
    traces = [map(_ -> zeros(ComplexF64, window, window, layer_count(s)), pair) for pair in pairs]
    for slice in slices(bonds, known, integrals, both, bytes)
        greens = slice_greens(bonds, known, integrals, slice)
        for (turn, t, trace) in zip(energies, ts, traces), (green, one, sums) in zip(turn.(greens), t, trace)
            foreach(e -> add_electron!(sums, green, s, one, e), electrons_of(slice, green, known, turn === mirrored))
        end
    end
    return map(zip(pairs, traces)) do ((green, _), (trace, moved))
        ConvergedMap(trace, relative_change(trace, moved, s)..., density_of_states(green.g0), green.g0)
    end
end

local_averages(integral::RowIntegral) =
    sum(width(p) .* (p.sums * p.weights) for p in integral.panels)

# ||Im (b - a)|| / ||Im a|| over all sites, and over those without an impurity.
function relative_change(a, b, s::Scatterers)
    middle = size(a, 1) ÷ 2 + 1
    total, change = sum(abs2 ∘ imag, a), sum(x -> abs2(imag(x)), b .- a)
    here = moved = 0.0
    for (r1, r2) in unique(s.sites)
        checkbounds(Bool, a, middle + r2, middle + r1, 1) || continue
        for layer in axes(a, 3)
            x, y = a[middle + r2, middle + r1, layer], b[middle + r2, middle + r1, layer]
            here += imag(x)^2
            moved += imag(y - x)^2
        end
    end
    return sqrt(change / max(total, floatmin())), sqrt(max(0.0, change - moved) / max(total - here, floatmin()))
end
