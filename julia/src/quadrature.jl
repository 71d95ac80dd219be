# The average over m1 by adaptive Gauss-Kronrod panels (nodes and weights: R. Piessens et al., QUADPACK, 1983).
# Rows are smooth but for a few m1, where a contour of constant energy is tangent to the row and the average
# over m2 is nearly singular over a width delta / (band velocity): there, and only there, panels are halved.

const KRONROD = [
    0.991455371120812639206854697526329, 0.949107912342758524526189684047851,
    0.864864423359769072789712788640926, 0.741531185599394439863864773280788,
    0.586087235467691130294144691693309, 0.405845151377397166906606412076961,
    0.207784955007898467600689403773245,
]
const KRONROD_WEIGHTS = [
    0.022935322010529224963732008058970, 0.063092092629978553290700663189204,
    0.104790010322250183839876322541518, 0.140653259715525918745189590510238,
    0.169004726639267902826583426598550, 0.190350578064785409913256402421014,
    0.204432940075298892414161999234649,
]
const GAUSS_WEIGHTS = [
    0.0, 0.129484966168869693270611432679082, 0.0, 0.279705391489276667901467771423780,
    0.0, 0.381830050505118944950369775488975, 0.0,
]
# Both rules on (0, 1), weights summing to one; the Gauss rule has every second node.
const NODES = ([-KRONROD; 0.0; reverse(KRONROD)] .+ 1) ./ 2
const WEIGHTS = [KRONROD_WEIGHTS; 0.209482141084727828012999174891714; reverse(KRONROD_WEIGHTS)] ./ 2
const EMBEDDED = [GAUSS_WEIGHTS; 0.417959183673469387755102040816327; reverse(GAUSS_WEIGHTS)] ./ 2
# Near a singularity Gauss's error, seen as the difference of the rules, falls as rho^-14 and Kronrod's as rho^-24.
# Very near one (see `pinch`) the two are alike; the exponent for that was chosen on sixty random states of NbSe2
# (docs/decisions/0006), so that the estimate lies above the true error, by a small factor.
const RULE_EXPONENT = 24 / 14
const PINCH_EXPONENT = 20
const LEAST_PANELS = 64

"""
    Panel

Rows at the nodes of one panel first < m1 < last: transforms (half + 1) x fields x 15, averages at r = 0,
roots. `spread` is the norm of the difference of the two rules, `mean` that of the average, `square` the
average of the squared norm, `check` the average of the errors that the rows themselves show, `pinch` the
Bernstein ellipse of the nearest singularity.
"""
struct Panel
    first::Float64
    last::Float64
    values::Array{ComplexF64,3}
    sums::Matrix{Float64}
    roots::Matrix{ComplexF64}
    spread::Float64
    mean::Float64
    square::Float64
    check::Float64
    pinch::Float64
end

width(p::Panel) = p.last - p.first
node(p::Panel, j) = p.first + width(p) * NODES[j]

"""
    error_of(panel)

Estimated error of the panel's contribution, from both rules and from the rows.
"""
function error_of(p::Panel)
    ratio = min(1.0, p.spread / max(p.mean, floatmin()))
    rule = p.spread * max(ratio^(RULE_EXPONENT - 1), p.pinch^-PINCH_EXPONENT)
    return width(p) * hypot(rule, p.check)
end

"""
    pinch(roots)

Smallest Bernstein ellipse rho on which a singularity of the rows lies; infinite where there is none.

As a function of m1, F is singular where a root inside the unit circle meets one outside. Their squared
distance vanishes linearly there: a secant through neighbouring nodes finds the place t, the panel being (-1, 1),
on the ellipse rho = |t + sqrt(t^2 - 1)| > 1.
"""
function pinch(roots::AbstractMatrix)
    nearest = Inf
    @inbounds for j in 2:size(roots, 2), a in axes(roots, 1), b in axes(roots, 1)
        x, y = roots[a, j - 1], roots[a, j]
        near(x) && near(y) && abs2(x) < 1 && abs2(y) < 1 || continue
        u, v = roots[b, j - 1], roots[b, j]
        near(u) && near(v) && abs2(u) > 1 && abs2(v) > 1 || continue
        before, after = (x - u)^2, (y - v)^2
        before == after && continue
        first, last = 2NODES[j - 1] - 1, 2NODES[j] - 1
        t = first - before * (last - first) / (after - before)
        rho = abs(t + sqrt(t^2 - 1))
        nearest = min(nearest, max(rho, 1 / rho))
    end
    return nearest
end

near(w) = NEAR_CIRCLE < abs2(w) < 1 / NEAR_CIRCLE

function Panel(rows, z, first, last, seed, half, weights)
    fields = length(weights)
    values = Array{ComplexF64}(undef, half + 1, fields, length(NODES))
    sums = zeros(local_count(rows.solver), length(NODES))
    roots = zeros(ComplexF64, length(rows.roots), length(NODES))
    check = 0.0
    for (j, x) in enumerate(NODES)
        error = exact_row!(view(values, :, :, j), view(sums, :, j), rows, z, first + (last - first) * x, seed)
        roots[:, j] = rows.roots
        seed = rows.roots
        check += WEIGHTS[j] * error * maximum(weights)
    end
    return Panel(first, last, values, sums, roots, panel_norms(values, weights)..., check, pinch(roots))
end

function panel_norms(values, weights)
    spread = mean = square = 0.0
    for f in axes(values, 2), r in axes(values, 1)
        kronrod = gauss = zero(ComplexF64)
        squares = 0.0
        @inbounds for j in axes(values, 3)
            x = values[r, f, j]
            kronrod += WEIGHTS[j] * x
            gauss += EMBEDDED[j] * x
            squares += WEIGHTS[j] * abs2(x)
        end
        times = (r == 1 ? 1 : 2) * weights[f]^2
        spread += times * abs2(kronrod - gauss)
        mean += times * abs2(kronrod)
        square += times * squares
    end
    return sqrt(spread), sqrt(mean), square
end

"""
    RowIntegral

Panels of one block of H, in order of m1, with what it takes to make more of them.
"""
mutable struct RowIntegral{S}
    solver::S
    bonds::Bonds
    z::ComplexF64
    half::Int
    weights::Vector{Float64} # of each field in G
    panels::Vector{Panel}
    rows::Int                # evaluated so far
end

rows_of(solver::Union{RealPair,ComplexPair}, bonds, half) = PoleRows(solver, bonds, half)
rows_of(solver::DensePath, bonds, half) = DenseRows(solver, bonds, half)

function RowIntegral(solver, bonds::Bonds, z::Complex, half::Integer)
    weights = zeros(field_count(solver))
    for parts in values(elements(solver, z)), (f, c) in parts
        weights[f] += abs2(c)
    end
    integral = RowIntegral(solver, bonds, z, Int(half), sqrt.(weights), Panel[], 0)
    # On one of these panels exp(2 pi i m1 r1) makes at most half a turn.
    count = max(2half, LEAST_PANELS)
    starts = [((k - 1) / count, k / count, nothing) for k in 1:count]
    integral.panels = evaluate(integral, starts, 8)
    return integral
end

# Panels from (first, last, roots nearby); where there are none they come from the panel before.
function evaluate(integral::RowIntegral, pieces, chunk)
    made = Vector{Panel}(undef, length(pieces))
    make() = rows_of(integral.solver, integral.bonds, integral.half)
    foreach_chunk(make, length(pieces), chunk) do rows, range
        last_roots = nothing
        for i in range
            first, last, seed = pieces[i]
            seed === nothing && (seed = last_roots)
            made[i] = Panel(rows, integral.z, first, last, seed, integral.half, integral.weights)
            last_roots = made[i].roots[:, end]
        end
    end
    integral.rows += length(NODES) * length(pieces)
    return made
end

"""
    relative_error(integral)

Norm of the estimated error of G(r) over the window, relative to that of G(r) over all sites.

Panels contribute to all r1 alike and with unrelated phases; the norm over all sites is Parseval's.
"""
function relative_error(integral::RowIntegral)
    panels = integral.panels
    squares = sum(p -> width(p) * p.square, panels)
    return sqrt((2integral.half + 1) * sum(p -> error_of(p)^2, panels) / squares)
end

"""
    refine!(integral, tolerance, budget)

Halve the panels with the largest errors until the relative error is below the tolerance, or the rows are used up.
"""
function refine!(integral::RowIntegral, tolerance::Real, budget::Integer)
    while relative_error(integral) > tolerance && integral.rows < budget
        errors = error_of.(integral.panels)
        share = sqrt(sum(abs2, errors) / length(errors)) * min(1, tolerance / relative_error(integral)) / 2
        large = errors .> share
        any(large) || break
        pieces = Tuple{Float64,Float64,Vector{ComplexF64}}[]
        for p in integral.panels[large]
            middle = node(p, 8)
            push!(pieces, (p.first, middle, p.roots[:, 1]), (middle, p.last, p.roots[:, 8]))
        end
        made = evaluate(integral, pieces, 2)
        integral.panels = sort!(vcat(integral.panels[.!large], made); by = p -> p.first)
    end
    return integral
end
