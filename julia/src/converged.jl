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
through T to the map, at first to a few rows of it; while it is too large, the panels with the largest share of it are
improved. `budget` is the largest number of rows.
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
    glance = glance_at_maps(bonds, known, integrals, s, window, both)
    return until_accurate(present, integrals, accuracy, budget; glance = glance)
end

"""
    until_accurate(present, integrals, accuracy, budget; glance = nothing)

Improve panels until what `present()` makes of them, a result and its error, is accurate, or the rows are used up.
Returns the result, the number of rows, and whether the accuracy was reached.

Where `glance()` says for less what the error is about, nothing is presented before it is small enough; what is
returned has its own error.
"""
function until_accurate(present, integrals, accuracy::Real, budget::Integer; glance = nothing)
    request, factor = accuracy * first_aim(integrals, glance), 1.0
    seen, presented = nothing, false
    local result, worst
    while true
        for integral in integrals
            refine!(integral, request, budget)
            measure!(integral)
        end
        panels = map(integral -> integral.panels, integrals)
        spent = all(integral -> integral.rows >= budget || relative_error(integral) == 0, integrals)
        if panels != seen
            seen, presented = copy.(panels), false
            worst = glance === nothing ? 0.0 : factor * glance()
        end
        if !presented && enough(worst, accuracy, spent)
            expected = worst
            (result, worst), presented = present(), true
            glance === nothing || (factor *= max(1, worst / expected))
        end
        if presented && enough(worst, accuracy, spent)
            return result, sum(integral -> integral.rows, integrals), worst <= accuracy
        end
        request = maximum(integral -> request_met(integral, request), integrals) * clamp(accuracy / worst, 0.05, 0.7)
    end
end

# Whether nothing is to be improved: it is accurate, or no rows are left, or they do not help.
enough(error, accuracy, spent) = error <= accuracy || spent || !isfinite(error)

# What is asked of G first, relative to the accuracy of its map: less where the first panels show that the map's error is larger
# than that of G. Maps that are better than their G do not make G worse.
function first_aim(integrals, glance)
    most = maximum(integral -> first_request(integral.solver), integrals)
    return glance === nothing ? most : most * min(1, maximum(relative_error, integrals) / glance())
end

"""
    ladder(window)

For every row r2 of a map how many it stands for: the rows 0, +-1, +-2, +-4 and so on for those nearer to them than to
others, the rest for none. A(r) falls as 1/r, so that |A|^2 holds as much in every octave of distance.
"""
function ladder(window::Integer)
    half = window ÷ 2
    steps = unique([0; round.(Int, exp2.(range(0, log2(0.8half), length = COLUMNS - 1)))])
    last = [(steps[1:(end - 1)] .+ steps[2:end]) .÷ 2; half - 1]
    shares = diff([-1; last])
    return [sum(shares[abs(r2) .== steps]) for r2 in window_rows(window)]
end

# The r2 >= 0 of G that rows of this weight need.
function columns_for(weights, s::Scatterers, half::Integer)
    all(>(0), weights) && return collect(0:half)
    rows = window_rows(length(weights))[weights .> 0]
    return sort!(unique([0; [abs(r2 - site[2]) for r2 in rows for site in s.sites]]))
end

# About the error of the maps from a few of their rows, or nothing where that costs about as much as all of them, or
# where rows of the zone cost less than maps.
function glance_at_maps(bonds::Bonds, known, integrals, s::Scatterers, window::Integer, both::Bool)
    weights, half = ladder(window), integrals[1].half
    2length(columns_for(weights, s, half)) > half && return nothing
    any(integral -> integral.solver isa DensePath, integrals) || return nothing
    return () -> maximum(larger_error, present_maps(bonds, known, integrals, s, window, both; weights = weights))
end

"""
    present_maps(bonds, families, integrals, scatterers, window, both; bytes = SLICE_BYTES, weights = 1)

The maps, with the errors that they have, from the panels as they are. Elements of G on the window are made slice by
slice of so many bytes, so that memory is that of the panels. Rows of A(r) are those whose weight is not 0, times its root:
norms are those of as many rows.
"""
function present_maps(
    bonds::Bonds, known, integrals, s::Scatterers, window::Integer, both::Bool; bytes::Integer = SLICE_BYTES,
    weights = ones(Int, window),
)
    rows, columns = window_rows(window)[weights .> 0], columns_for(weights, s, integrals[1].half)
    energies = both ? (identity, mirrored) : (identity,)
    pairs = map(turn -> map(turn, place_greens(bonds, known, integrals, places_between(s))), energies)
    ts = [tmatrix.(pair, Ref(s)) for pair in pairs]
    traces = [map(_ -> zeros(ComplexF64, window, window, layer_count(s)), pair) for pair in pairs]
    for slice in slices(bonds, known, integrals, both, bytes, length(columns))
        greens = slice_greens(bonds, known, integrals, slice, columns)
        for (turn, t, trace) in zip(energies, ts, traces), (green, one, sums) in zip(turn.(greens), t, trace)
            foreach(e -> add_electron!(sums, green, s, one, e, rows), electrons_of(slice, green, known, turn === mirrored))
        end
    end
    foreach(pair -> foreach(trace -> trace .*= sqrt.(weights), pair), traces)
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
