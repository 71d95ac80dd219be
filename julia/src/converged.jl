"""
    ConvergedMap

A(r) = Tr_e [G(r) T G(-r)] (L x L, [r2, r1]), the estimate of drho's relative error with and without r = 0,
density of states, g0, the number of rows, and whether the accuracy was reached.
"""
struct ConvergedMap
    trace::Matrix{ComplexF64}
    error::Float64
    error_away::Float64
    dos::Float64
    g0::Matrix{ComplexF64}
    rows::Int
    reached::Bool
end

"""
    converged_map(bonds, v, z, window, accuracy, budget)

The map to a relative accuracy: ||error of drho|| / ||drho|| over the window, with and without the site r = 0.

G(r) is integrated over m2 exactly, by the poles of G, and over m1 adaptively. The estimated error of G is carried
through T to the map; while it is too large, the panels with the largest share of it are halved. `budget` is the
largest number of rows.
"""
function converged_map(bonds::Bonds, v::AbstractMatrix, z::Complex, window::Integer, accuracy::Real, budget::Integer)
    half = window ÷ 2
    known = families(bonds)
    integrals = [RowIntegral(block_solver(bonds, family.block, z), bonds, z, half) for family in known]
    tolerance = accuracy
    while true
        foreach(integral -> refine!(integral, tolerance, budget), integrals)
        green, shifted = window_greens(bonds, known, integrals, z, half)
        t = tmatrix(green.g0, v)
        trace = electron_trace!(zeros(ComplexF64, window, window), green, t)
        moved = electron_trace!(zeros(ComplexF64, window, window), shifted, tmatrix(shifted.g0, v))
        error, away = relative_change(trace, moved)
        rows = sum(integral -> integral.rows, integrals)
        worst = max(error, away)
        spent = all(integral -> integral.rows >= budget || relative_error(integral) == 0, integrals)
        if worst <= accuracy || spent || !isfinite(worst)
            return ConvergedMap(trace, error, away, density_of_states(green.g0), green.g0, rows, worst <= accuracy)
        end
        tolerance *= clamp(accuracy / worst, 0.05, 0.7)
    end
end

# G on the window, and the same with the estimate of its error added.
function window_greens(bonds::Bonds, known, integrals, z, half)
    green, shifted = (WindowGreen(dimension(bonds), electrons(bonds), half) for _ in 1:2)
    for (family, integral) in zip(known, integrals)
        sums, errors = window_sums(integral)
        for (g, transforms) in ((green, sums), (shifted, sums .+ errors))
            means = real.(transforms[half + 1, 1, :])
            locals = local_elements(integral.solver, z, means, local_averages(integral))
            add_block!(g, family.block, elements(integral.solver, z), locals, transforms)
            foreach(twin -> add_twin!(g, family.block, twin), family.twins)
        end
    end
    return green, shifted
end

local_averages(integral::RowIntegral) =
    sum(width(p) .* (p.sums * WEIGHTS) for p in integral.panels)

# ||Im (b - a)|| / ||Im a|| over all sites, and over those without r = 0.
function relative_change(a, b)
    middle = size(a, 1) ÷ 2 + 1
    total, change = sum(abs2 ∘ imag, a), sum(x -> abs2(imag(x)), b .- a)
    here, moved = imag(a[middle, middle])^2, imag(b[middle, middle] - a[middle, middle])^2
    return sqrt(change / max(total, floatmin())), sqrt(max(0.0, change - moved) / max(total - here, floatmin()))
end
