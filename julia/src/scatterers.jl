"""
    Scatterers(sites, pairs, potentials, layers)

Impurities: sites (r1, r2), and the blocks V_ab of a potential in Nambu space, d x d x pairs in meV, between the
sites of each pair (a, b) (numbers of sites). The density of the electron component e goes to the map layers[e].
"""
struct Scatterers
    sites::Vector{Tuple{Int,Int}}
    pairs::Vector{Tuple{Int,Int}}
    potentials::Array{ComplexF64,3}
    layers::Vector{Int}
end

"""
    Scatterers(sites, potentials)

A potential on each site, d x d x sites, and one map for all electrons.
"""
Scatterers(sites, potentials) =
    Scatterers(sites, [(a, a) for a in eachindex(sites)], potentials, ones(Int, size(potentials, 1) ÷ 2))

"""
    layer_count(scatterers)

Number of maps at an energy.
"""
layer_count(s::Scatterers) = maximum(s.layers)

"""
    reach(scatterers)

Largest |r1| or |r2| of a site; G is needed that far beyond the window.
"""
reach(s::Scatterers) = maximum(r -> max(abs(r[1]), abs(r[2])), s.sites)

"""
    several(scatterers)

Whether quasiparticles scatter from site to site, which takes G between holes as well.
"""
several(s::Scatterers) = length(s.sites) > 1

"""
    touched(scatterers, mirrored)

Nambu components that a potential couples to: V, and with it T, has no others; and with particle-hole symmetry those
that stand for them at -z^*, where that is asked, too.
"""
function touched(s::Scatterers, mirrored::Bool)
    d = size(s.potentials, 1)
    couples(i) = any(!iszero, view(s.potentials, i, :, :)) || any(!iszero, view(s.potentials, :, i, :))
    found = filter(couples, 1:d)
    return mirrored ? union(found, mod1.(found .+ d ÷ 2, d)) : found
end

"""
    green_range(scatterers, window)

Sites on each side of r = 0 on which G is needed; a multiple of 8 where it exceeds half the window, so that
transforms have lengths with small factors.
"""
green_range(s::Scatterers, window::Integer) = reach(s) == 0 ? window ÷ 2 : 8cld(window ÷ 2 + reach(s), 8)

"""
    tmatrix(green, scatterers)

T = V (1 - g V)^-1 with g_ab = G(R_a - R_b) between the sites: matrices of sites times Nambu components, site major.
"""
function tmatrix(green, s::Scatterers)
    d, n = size(green.g0, 1), length(s.sites)
    g, v = zeros(ComplexF64, n * d, n * d), zeros(ComplexF64, n * d, n * d)
    for b in 1:n, a in 1:n
        g[component(a, 1:d, d), component(b, 1:d, d)] = between(green, s.sites[a] .- s.sites[b])
    end
    for (k, (a, b)) in enumerate(s.pairs)
        v[component(a, 1:d, d), component(b, 1:d, d)] += s.potentials[:, :, k]
    end
    return product(v, invert!(Matrix{ComplexF64}(I, n * d, n * d) .- product(g, v), zeros(Int, n * d)))
end

# Row or rows of the Nambu component i on the site a.
component(a, i, d) = (a - 1) * d .+ i

# G(r) as a matrix; between different sites all of its elements must be there.
function between(green::WindowGreen, (r1, r2))
    r1 == r2 == 0 && return green.g0
    g = zero(green.g0)
    for ((i, j), element) in green.elements
        g[i, j] = element[green.half + 1 + r1, green.half + 1 + r2]
    end
    return g
end

between(green::PlaceGreen, r) = green.matrices[r]

"""
    places_between(scatterers)

All R_a - R_b, 0 first.
"""
places_between(s::Scatterers) = unique([(0, 0); vec([a .- b for a in s.sites, b in s.sites])])

# A plain product: for these few rows the first call of BLAS would cost more time and memory than all.
product(a, b) = [sum(a[i, k] * b[k, j] for k in axes(b, 1)) for i in axes(a, 1), j in axes(b, 2)]

"""
    electron_trace!(a, green, scatterers, t)

A(r) = sum_ab Tr_e [G(r - R_a) T_ab G(R_b - r)] on r1, r2 = -L/2 .. L/2 - 1, the trace over the components e of each
layer; the change of the local density of states is -Im A / pi. `a` is L x L x layers, indexed [r2, r1, layer], as a
row-major (r1, r2) array lies in memory.
"""
function electron_trace!(a::AbstractArray{ComplexF64,3}, green::WindowGreen, s::Scatterers, t::AbstractMatrix)
    fill!(a, 0)
    foreach(e -> add_electron!(a, green, s, t, e), 1:green.electrons)
    return a
end

"""
    add_electron!(a, green, scatterers, t, e, rows = all)

The share of the electron component e in A(r), on the rows r2 alone.
"""
function add_electron!(
    a::AbstractArray{ComplexF64,3}, green::WindowGreen, s::Scatterers, t::AbstractMatrix, e::Integer,
    rows = window_rows(size(a, 1)),
)
    d, numbers = size(green.g0, 1), column_numbers(green)
    left = [i for i in 1:d if haskey(green.elements, (e, i))]
    right = [j for j in 1:d if haskey(green.elements, (j, e))]
    for (nb, rb) in enumerate(s.sites), (na, ra) in enumerate(s.sites), j in right, i in left
        factor = t[component(na, i, d), component(nb, j, d)]
        iszero(factor) && continue
        layer = view(a, :, :, s.layers[e])
        accumulate_product!(layer, green.elements[e, i], ra, factor, green.elements[j, e], rb, numbers, rows)
    end
end

# r2, and r1, of the sites of a window.
window_rows(window::Integer) = (-(window ÷ 2)):(window ÷ 2 - 1)

function accumulate_product!(a, left, (a1, a2), t, right, (b1, b2), numbers, rows)
    window, middle = size(a, 1) ÷ 2, (length(numbers) + 1) ÷ 2
    @inbounds for r1 in window_rows(size(a, 1)), r2 in rows
        to, from = numbers[middle + r2 - a2], numbers[middle - r2 + b2]
        a[r2 + window + 1, r1 + window + 1] += left[middle + r1 - a1, to] * t * right[middle - r1 + b1, from]
    end
end
