"""
    WindowGreen(d, electrons, half, columns = 0:half)

G_ij(r) for |r1| <= half and |r2| among the `columns`, wherever i or j is an electron, and the whole local matrix g0 = G(0).

`elements[(i, j)]` is indexed [r1 + half + 1, n], n counting the r2 that there are: r2 + half + 1 on the whole window.
Columns are in order, 0 first.
"""
struct WindowGreen
    electrons::Int
    half::Int
    columns::Vector{Int}
    elements::Dict{Tuple{Int,Int},Matrix{ComplexF64}}
    g0::Matrix{ComplexF64}
end

WindowGreen(d::Integer, electrons::Integer, half::Integer, columns = 0:half) =
    WindowGreen(electrons, half, columns, Dict{Tuple{Int,Int},Matrix{ComplexF64}}(), zeros(ComplexF64, d, d))

# Where every r2 = -half .. half is among the elements' columns, 0 where it is not.
function column_numbers(green::WindowGreen)
    numbers, middle = zeros(Int, 2green.half + 1), green.half + 1
    for (k, r2) in enumerate(green.columns)
        numbers[middle + r2], numbers[middle - r2] = length(green.columns) .+ (k - 1, 1 - k)
    end
    return numbers
end

"""
    window_elements(parts, transforms, mirror = nothing)

G_ij(r) of one block, (i, j) => as in `WindowGreen`, from the transforms F_f(r) of its real fields: with a mirror those are
integrals over half of the zone, and what the other half adds follows from them.

`transforms` is (2 half + 1) x columns x fields over r1 and r2 >= 0; F_f(-r) = F_f(r)^*.
"""
function window_elements(parts, transforms, mirror = nothing)
    found = Dict{Tuple{Int,Int},Matrix{ComplexF64}}()
    for ((i, j), part) in parts
        g = zeros(ComplexF64, size(transforms, 1), 2size(transforms, 2) - 1)
        foreach(((f, c),) -> add_transform!(g, ComplexF64(c), transforms, f), part)
        found[i, j] = g
        mirror === nothing && continue
        phase = mirror.phases[i] * conj(mirror.phases[j])
        for (f, c) in parts[mirror.reversed ? (j, i) : (i, j)]
            add_transform!(g, phase * c, transforms, f, -1, mirror.turn)
        end
    end
    return found
end

# c F_f(s1 r1, s2 r2).
function add_transform!(g, c, transforms, f, s1 = 1, s2 = 1)
    half, middle = size(transforms, 1) ÷ 2, size(transforms, 2)
    @inbounds for k in 0:(middle - 1), r1 in (-half):half
        value = transforms[r1 + half + 1, k + 1, f]
        g[half + 1 + s1 * r1, middle + s2 * k] += c * value
        k > 0 && (g[half + 1 - s1 * r1, middle - s2 * k] += c * conj(value))
    end
end

"""
    add_block!(green, block, elements)

Elements of one block, numbers within it, as those of the problem.
"""
function add_block!(green::WindowGreen, block, elements)
    for ((i, j), g) in elements
        green.elements[block[i], block[j]] = g
        green.g0[block[i], block[j]] = g[green.half + 1, length(green.columns)]
    end
    return green
end

"""
    add_twin!(green, block, twin)

Elements of a block that follows from `block` by time reversal or spin degeneracy.
"""
function add_twin!(green::WindowGreen, block, twin::Twin)
    for (j, col) in enumerate(twin.block), (i, row) in enumerate(twin.block)
        phase = twin_phase(twin, i, j)
        source = twin_source(twin, block, i, j)
        green.g0[row, col] = phase * green.g0[source...]
        haskey(green.elements, source) || continue
        g = green.elements[source]
        green.elements[row, col] = phase .* (twin.reversed ? reversed_both(g) : g)
    end
    return green
end

reversed_both(g) = view(g, size(g, 1):-1:1, size(g, 2):-1:1)

twin_phase(twin::Twin, i, j) = twin.phases[i] * conj(twin.phases[j])
twin_source(twin::Twin, block, i, j) = twin.reversed ? (block[j], block[i]) : (block[i], block[j])

"""
    PlaceGreen(d, electrons, places)

G(r) as d x d matrices at a few places alone; r = 0 is among them, and -r with every r.
"""
struct PlaceGreen
    electrons::Int
    matrices::Dict{Tuple{Int,Int},Matrix{ComplexF64}}
    g0::Matrix{ComplexF64}
end

function PlaceGreen(d::Integer, electrons::Integer, places)
    matrices = Dict(r => zeros(ComplexF64, d, d) for r in places)
    return PlaceGreen(electrons, matrices, matrices[0, 0])
end

"""
    add_block!(green, family, matrices)

The family's blocks from the matrices r => G(r) of the first of them.
"""
function add_block!(green::PlaceGreen, family::Family, matrices)
    for (r, g) in matrices
        green.matrices[r][family.block, family.block] = g
        for twin in family.twins
            source = twin.reversed ? transpose(matrices[.-r]) : g
            d = length(twin.block)
            green.matrices[r][twin.block, twin.block] = [twin_phase(twin, i, j) * source[i, j] for i in 1:d, j in 1:d]
        end
    end
    return green
end
