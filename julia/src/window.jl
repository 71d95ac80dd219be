"""
    WindowGreen(d, electrons, half)

G_ij(r) for |r1|, |r2| <= half, wherever i or j is an electron, and the whole local matrix g0 = G(0).

`elements[(i, j)]` is indexed [r1 + half + 1, r2 + half + 1].
"""
struct WindowGreen
    electrons::Int
    half::Int
    elements::Dict{Tuple{Int,Int},Matrix{ComplexF64}}
    g0::Matrix{ComplexF64}
end

WindowGreen(d::Integer, electrons::Integer, half::Integer) =
    WindowGreen(electrons, half, Dict{Tuple{Int,Int},Matrix{ComplexF64}}(), zeros(ComplexF64, d, d))

"""
    window_elements(parts, transforms)

G_ij(r) of one block, (i, j) => [r1 + half + 1, r2 + half + 1], from the transforms F_f(r) of its real fields.

`transforms` is (2 half + 1) x (half + 1) x fields over r1 and r2 >= 0; F_f(-r) = F_f(r)^*.
"""
function window_elements(parts, transforms)
    half = size(transforms, 2) - 1
    found = Dict{Tuple{Int,Int},Matrix{ComplexF64}}()
    for (ij, part) in parts
        g = zeros(ComplexF64, 2half + 1, 2half + 1)
        for (f, c) in part
            add_transform!(g, ComplexF64(c), transforms, f)
        end
        found[ij] = g
    end
    return found
end

function add_transform!(g, c, transforms, f)
    half = size(transforms, 2) - 1
    @inbounds for r2 in 0:half, r1 in (-half):half
        value = transforms[r1 + half + 1, r2 + 1, f]
        g[half + 1 + r1, half + 1 + r2] += c * value
        r2 > 0 && (g[half + 1 - r1, half + 1 - r2] += c * conj(value))
    end
end

"""
    add_block!(green, block, elements)

Elements of one block, numbers within it, as those of the problem.
"""
function add_block!(green::WindowGreen, block, elements)
    half = green.half
    for ((i, j), g) in elements
        green.elements[block[i], block[j]] = g
        green.g0[block[i], block[j]] = g[half + 1, half + 1]
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
        green.elements[row, col] = phase .* (twin.reversed ? reverse_both(g) : g)
    end
    return green
end

reverse_both(g) = g[end:-1:1, end:-1:1]

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
