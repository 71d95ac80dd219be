# The Green's function itself as a result: from it maps of any impurities follow without the kernel.

"""
    copy_green!(out, green)

All of G(r), as a row-major (r1, r2, row, column) array lies in memory: `out` is indexed [column, row, r2, r1], its
sites running from -s to s with s at most the green's half.
"""
function copy_green!(out::AbstractArray{ComplexF64,4}, green::WindowGreen)
    sites = size(out, 4) ÷ 2
    middle = green.half + 1
    fill!(out, 0)
    for ((i, j), g) in green.elements, r1 in (-sites):sites, r2 in (-sites):sites
        out[j, i, r2 + sites + 1, r1 + sites + 1] = g[middle + r1, middle + r2]
    end
    return out
end

"""
    grid_green!(out, bonds, energies, broadening, n)

The whole of G(r; w) for every energy, on the uniform n x n grid: `out` is [column, row, r2, r1, energy].
"""
function grid_green!(out, bonds::Bonds, energies, broadening::Real, n::Integer)
    grid, half = Grid(n), size(out, 4) ÷ 2
    for group in energy_groups(bonds, energies)
        green = grid_window(bonds, complex(energies[group[1]], broadening), grid, half, true)
        for (k, e) in enumerate(group)
            copy_green!(view(out, :, :, :, :, e), k == 2 ? mirrored(green) : green)
        end
    end
    return out
end

"""
    converged_green(bonds, scatterers, z, window, half, accuracy, budget, scatters; both = false)

The whole of G(r), |r1|, |r2| <= half, at z or, with particle-hole symmetry, `both` at z and -z^*: pairs of G and of G with the estimate of
its error added; the number of rows, and whether the accuracy was reached.

Where the impurities scatter it is their map that reaches the accuracy, on the same panels as in `converged_maps`;
otherwise ||error of G|| / ||G|| over the window does, with and without r = 0.
"""
function converged_green(
    bonds::Bonds, s::Scatterers, z::Complex, window::Integer, half::Integer, accuracy::Real, budget::Integer,
    scatters::Bool; both::Bool = false,
)
    known, wanted = families(bonds), scatters ? touched(s, both) : 1:dimension(bonds)
    integrals = map(known) do family
        seen = related(bonds, family, wanted)
        judge = block_solver(bonds, family.block, z, both || several(s) || !scatters; wanted = seen)
        whole_integral(block_solver(bonds, family.block, z, true), judge, bonds, z, half)
    end
    function present()
        pair = window_greens(bonds, known, integrals)
        pairs = both ? [pair, mirrored.(pair)] : [pair]
        errors = map(pairs) do (green, shifted)
            scatters ? map_error(green, shifted, s, window) : maximum(green_change(green, shifted, half))
        end
        return pairs, maximum(errors)
    end
    glance = scatters ? glance_at_maps(bonds, known, integrals, s, window, both) : nothing
    return until_accurate(present, integrals, accuracy, budget; glance = glance)
end

function map_error(green::WindowGreen, shifted::WindowGreen, s::Scatterers, window::Integer)
    room() = zeros(ComplexF64, window, window, layer_count(s))
    return maximum(relative_change((electron_trace!(room(), g, s, tmatrix(g, s)) for g in (green, shifted))..., s))
end

# Panels for the whole of G, whose errors count as for those elements alone that the judge transforms.
function whole_integral(solver, judge, bonds::Bonds, z::Complex, half::Integer)
    weights = zeros(field_count(solver))
    judged = keys(elements(judge, z))
    for (ij, parts) in elements(solver, z), (f, c) in parts
        ij in judged && (weights[f] += abs2(c))
    end
    return RowIntegral(solver, bonds, z, half, 4half, sqrt.(weights))
end

"""
    green_change(green, shifted, sites)

||shifted - green|| / ||green|| over |r1|, |r2| <= sites and all elements, and the same without r = 0.
"""
function green_change(green::WindowGreen, shifted::WindowGreen, sites::Integer)
    total = change = here = moved = 0.0
    middle = green.half + 1
    range = (middle - sites):(middle + sites)
    for (ij, g) in green.elements
        h = shifted.elements[ij]
        total += sum(abs2, view(g, range, range))
        change += sum(abs2(h[r1, r2] - g[r1, r2]) for r1 in range, r2 in range)
        here += abs2(g[middle, middle])
        moved += abs2(h[middle, middle] - g[middle, middle])
    end
    away = sqrt(max(0.0, change - moved) / max(total - here, floatmin()))
    return sqrt(change / max(total, floatmin())), away
end
