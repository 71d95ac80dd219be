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
    add_block!(green, block, elements, locals, transforms)

Elements of one block from the transforms F_f(r) of its real fields.

`transforms` is (2 half + 1) x (half + 1) x fields over r1 and r2 >= 0; F_f(-r) = F_f(r)^*.
"""
function add_block!(green::WindowGreen, block, elements, locals, transforms)
    half = green.half
    for ((i, j), parts) in elements
        g = zeros(ComplexF64, 2half + 1, 2half + 1)
        for (f, c) in parts, r2 in 0:half, r1 in (-half):half
            value = transforms[r1 + half + 1, r2 + 1, f]
            g[half + 1 + r1, half + 1 + r2] += c * value
            r2 > 0 && (g[half + 1 - r1, half + 1 - r2] += c * conj(value))
        end
        green.elements[block[i], block[j]] = g
        green.g0[block[i], block[j]] = g[half + 1, half + 1]
    end
    for ((i, j), value) in locals
        green.g0[block[i], block[j]] = value
    end
    return green
end

"""
    add_twin!(green, block, twin)

Elements of a block that follows from `block` by time reversal or spin degeneracy.
"""
function add_twin!(green::WindowGreen, block, twin::Twin)
    for (j, col) in enumerate(twin.block), (i, row) in enumerate(twin.block)
        phase = twin.phases[i] * conj(twin.phases[j])
        source = twin.reversed ? (block[j], block[i]) : (block[i], block[j])
        green.g0[row, col] = phase * green.g0[source...]
        haskey(green.elements, source) || continue
        g = green.elements[source]
        green.elements[row, col] = phase .* (twin.reversed ? reverse_both(g) : g)
    end
    return green
end

reverse_both(g) = g[end:-1:1, end:-1:1]
