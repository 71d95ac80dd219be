# The average over m1 by adaptive panels with Gauss's rule. Rows are smooth but for a few m1, where a contour of
# constant energy is tangent to the row and the average over m2 is nearly singular over a width
# delta / (band velocity): there, and only there, panels are halved.

const LEAST_PANELS = 64

# Coefficients of f in the orthonormal Legendre polynomials sqrt(2k + 1) P_k: rules that give zero for polynomials of
# lower degree (null rules; J. Berntsen, T. O. Espelid, ACM TOMS 17, 233 (1991)).
null_rule(k) = WEIGHTS .* sqrt(2k + 1) .* getindex.(legendre.(LEGENDRE_ZEROS, k), k + 1)

# How fast they fall, in pairs since a panel may be even or odd. Those of the last degrees mix with the degrees beyond.
const NULL_RULES = hcat(null_rule.([7, 8, 11, 12])...)
const LAST_COEFFICIENTS = NULL_RULES[:, 3] .+ NULL_RULES[:, 4]
# Where the nearest singularity lies on the Bernstein ellipse rho, coefficients fall as rho^-k: those of degree 8 are
# rho^4 times those of degree 12, and the error of the rule is of degree 30, 1/rho^18 of the latter. The exponent used,
# 14, and the factor of safety were chosen on sixty random states of NbSe2 (docs/decisions/0006). Where the coefficients
# do not fall the last of them exceed the error anyway, and the factor goes to one.
const FALL_EXPONENT = 14 / 4
const SAFETY = 2.0
safety(fall) = SAFETY - (SAFETY - 1) * fall

"""
    Panel{T}

Rows at the nodes of one panel first < m1 < last: transforms (half + 1) x fields x 15, of the precision T, averages at r = 0,
and the `weights` of both; roots. `tail` is the norm of the last two coefficients, `rule` the error of the average that
follows from their fall and from the `pinches` that the roots show, `check` the average of the errors that the rows
themselves show, `square` that of the squared norm.

A panel whose error has been measured (measured.jl) has 31 rows, those at the nodes that Kronrod adds behind the others.
Then `tail` is the norm of what Kronrod's rule changes, `rule` the error that follows from it and `kronrod`, otherwise
infinite, that of Kronrod's rule.
"""
struct Panel{T}
    first::Float64
    last::Float64
    values::Array{Complex{T},3}
    sums::Matrix{Float64}
    weights::Vector{Float64}
    roots::Matrix{ComplexF64}
    tail::Float64
    rule::Float64
    kronrod::Float64
    square::Float64
    check::Float64
    pinches::Vector{Pinch}
end

width(p::Panel) = p.last - p.first
node(p::Panel, j) = p.first + width(p) * NODES[j]

"""
    error_of(panel)

Estimated error of the panel's contribution, from the rule and from the rows.
"""
error_of(p::Panel) = width(p) * hypot(p.rule, SAFETY * p.check)

# Panels of large blocks are what a map needs memory for: their transforms are kept to 6e-8, less than the spline's error.
precision_of(::Union{RealPair,ComplexPair}) = Float64
precision_of(::DensePath) = Float32

# `values`, (half + 1) x fields x 15, is scratch.
function Panel(rows, values, z, first, last, seed, half, weights)
    sums, roots, strengths, check = take_rows!(values, rows, z, first, last, NODES, WEIGHTS, seed, weights)
    kept = Complex{precision_of(rows.solver)}.(values)
    tail, fall, square = panel_norms(kept, weights, last - first)
    # Without roots a singularity between the nodes would pass for a fall: the tail itself is the estimate.
    pinches = pinches_of(roots, strengths, tail)
    rule = isempty(roots) ? tail : hypot(tail * fall, pinch_error(pinches))
    return Panel(first, last, kept, sums, WEIGHTS, roots, tail, safety(fall) * rule, Inf, square, check, pinches)
end

# Rows at the nodes, one after another: transforms into `values`; returns averages at r = 0, roots, norms of the
# residues, and the average of the errors that the rows show.
function take_rows!(values, rows, z, first, last, nodes, shares, seed, weights)
    sums = zeros(local_count(rows.solver), length(nodes))
    roots = zeros(ComplexF64, length(rows.roots), length(nodes))
    strengths = zeros(length(rows.roots), length(nodes))
    check = 0.0
    for (j, x) in enumerate(nodes)
        error = exact_row!(view(values, :, :, j), view(sums, :, j), rows, z, first + (last - first) * x, seed)
        roots[:, j] = rows.roots
        residue_norms!(view(strengths, :, j), rows, weights)
        seed = rows.roots
        check += shares[j] * error * maximum(weights)
    end
    return sums, roots, strengths, check
end

# Norm of the tail, its fall up to the rule's error, average of the squared norm: at r1 = +half for every second r2 and
# at -half for the others, since towards the window's edge exp(2 pi i m1 r1) makes the average harder.
function panel_norms(values, weights, span)
    half = size(values, 1) - 1
    turned = [complex(NULL_RULES[j, k]) * cis(2pi * half * span * NODES[j]) for j in axes(values, 3), k in 1:4]
    before = tail = square = 0.0
    for f in axes(values, 2), r in axes(values, 1)
        a = b = c = d = zero(ComplexF64)
        squares = 0.0
        flip = isodd(r)
        @inbounds for j in axes(values, 3)
            y = values[r, f, j]
            x = flip ? conj(y) : y
            a += turned[j, 1] * x
            b += turned[j, 2] * x
            c += turned[j, 3] * x
            d += turned[j, 4] * x
            squares += WEIGHTS[j] * abs2(x)
        end
        times = (r == 1 ? 1 : 2) * weights[f]^2
        before += times * (abs2(a) + abs2(b))
        tail += times * (abs2(c) + abs2(d))
        square += times * squares
    end
    fall = tail < before ? sqrt(tail / before)^FALL_EXPONENT : 1.0
    return sqrt(tail), fall, square
end

"""
    RowIntegral(solver, bonds, z, half)
    RowIntegral(solver, bonds, z, half, samples, weights)

Panels of one block of H, in order of m1, with what it takes to make more of them. Where a mirror turns m1 to -m1 they
cover 0 < m1 < 1/2, otherwise 0 < m1 < 1. `weights` say how much each field
counts in the error: without them, as it does in the norm of G.
"""
mutable struct RowIntegral{S,T}
    solver::S
    mirror::Union{Mirror,Nothing}
    bonds::Bonds
    z::ComplexF64
    half::Int
    samples::Int             # of a row to begin with
    weights::Vector{Float64}
    panels::Vector{Panel{T}}
    rows::Int                # evaluated so far
end

rows_of(solver::Union{RealPair,ComplexPair}, bonds, half, samples = 4half) = PoleRows(solver, bonds, half, samples)
# On one of these panels exp(2 pi i m1 r1) makes at most one turn; on those of large blocks, whose rows cost more, two.
first_panels(::Union{RealPair,ComplexPair}, half) = max(half, LEAST_PANELS)
first_panels(::DensePath, half) = max(cld(half, 2), LEAST_PANELS ÷ 2)

# The window's alias and the poles' need n > half; a set of 5/8 of a pair's finds what it needs for the least work.
rows_of(solver::DensePath, bonds, half, samples = 4half) = DenseRows(solver, bonds, half, 32cld(max(5samples, 640), 256))

function RowIntegral(solver, bonds::Bonds, z::Complex, half::Integer)
    weights = zeros(field_count(solver))
    for parts in values(elements(solver, z)), (f, c) in parts
        weights[f] += abs2(c)
    end
    return RowIntegral(solver, bonds, z, half, 4half, sqrt.(weights))
end

function RowIntegral(solver, bonds::Bonds, z::Complex, half::Integer, samples::Integer, weights)
    mirror = mirror_of(solver, bonds)
    none = Panel{precision_of(solver)}[]
    integral = RowIntegral(solver, mirror, bonds, ComplexF64(z), Int(half), Int(samples), weights, none, 0)
    count = first_panels(solver, half)
    mirror === nothing || (count = 2cld(count, 2))
    starts = [((k - 1) / count, k / count, nothing) for k in 1:(count ÷ images(integral))]
    integral.panels = evaluate(integral, starts, 8)
    return integral
end

# How often the panels' stretch of m1 fits into the zone.
images(integral::RowIntegral) = integral.mirror === nothing ? 1 : 2

# Panels from (first, last, roots nearby); where there are none they come from the panel before.
function evaluate(integral::RowIntegral, pieces, chunk)
    made = similar(integral.panels, length(pieces))
    fields = length(integral.weights)
    make() = rows_of(integral.solver, integral.bonds, integral.half, integral.samples),
        Array{ComplexF64}(undef, integral.half + 1, fields, POINTS)
    foreach_chunk(make, length(pieces), chunk) do (rows, values), range
        last_roots = nothing
        for i in range
            first, last, seed = pieces[i]
            seed === nothing && (seed = last_roots)
            made[i] = Panel(rows, values, integral.z, first, last, seed, integral.half, integral.weights)
            last_roots = made[i].roots[:, end]
        end
    end
    integral.rows += length(NODES) * length(pieces)
    return made
end

"""
    relative_error(integral, errors = error_of.(integral.panels))

Norm of the estimated error of G(r) over the window, relative to that of G(r) over all sites.

Panels contribute to all r1 alike and with unrelated phases; the norm over all sites is Parseval's. The mirror images of
panels would add as much to both norms.
"""
function relative_error(integral::RowIntegral, errors = error_of.(integral.panels))
    panels = integral.panels
    squares = sum(p -> width(p) * p.square, panels)
    missed = mapreduce(gap -> (SAFETY * width(gap))^2 * gap.neighbour.square, +, uncovered(integral); init = 0.0)
    return sqrt((2integral.half + 1) * (sum(abs2, errors) + missed) / squares)
end

"""
    Gap(first, last, neighbour)

A stretch of m1 that no panel covers: all that it holds is missing, about as much as its neighbour's end.
"""
struct Gap{T}
    first::Float64
    last::Float64
    neighbour::Panel{T}
end

width(gap::Gap) = gap.last - gap.first

# There is none unless a panel was lost.
function uncovered(integral::RowIntegral)
    panels = integral.panels
    ends = [p.last for p in panels]
    starts = [[p.first for p in panels[2:end]]; 1 / images(integral) + panels[1].first]
    return [Gap(a, b, p) for (a, b, p) in zip(ends, starts, panels) if b - a > 1e-12]
end

"""
    refine!(integral, request, budget)

Improve the panels with the largest errors until a map may be as accurate as requested, or the rows are used up.
"""
function refine!(integral::RowIntegral, request::Real, budget::Integer)
    while integral.rows < budget
        errors = expected_errors(integral)
        relative = relative_error(integral, errors)
        relative > request || break
        down = min(1, request / relative)
        share = sqrt(sum(abs2, errors) / length(errors)) * down / 2
        large = errors .> largest_left(integral, errors, down, share)
        any(large) || break
        improve!(integral, large, share)
    end
    return integral
end

# What panels are improved by, and the largest error among those that are left as they are when all errors together are to go
# down by a factor, their `share` being what each could keep.
expected_errors(integral::RowIntegral) = error_of.(integral.panels)
largest_left(::RowIntegral, errors, down, share) = share

"""
    halve!(integral, chosen)

Halve the panels that are `chosen`, a Boolean for each.
"""
halve!(integral::RowIntegral, chosen) = divide!(integral, chosen, Inf)

"""
    divide!(integral, chosen, share)

Halve the panels that are `chosen`, and halves again where their pinches let expect an error of more than twice the
`share`: rows between are saved.
"""
function divide!(integral::RowIntegral, chosen, share)
    deepest = halvings(integral.solver)
    pieces = Tuple{Float64,Float64,Vector{ComplexF64}}[]
    for p in integral.panels[chosen]
        cut!(pieces, p, p.first, p.last, share, deepest)
    end
    made = evaluate(integral, pieces, 2)
    integral.panels = sort!(vcat(integral.panels[.!chosen], made); by = p -> p.first)
    return integral
end

# At once; rows of pairs cost little, and their panels are halved one by one.
halvings(::Union{RealPair,ComplexPair}) = 1
halvings(::DensePath) = 5

# Both halves of a stretch of a panel, each with the roots at the node nearest to its first one.
function cut!(pieces, p::Panel, first, last, share, halvings)
    middle = first == p.first && last == p.last ? node(p, 8) : (first + last) / 2
    for (a, b) in ((first, middle), (middle, last))
        if halvings > 1 && SAFETY * foreseen_error(p.pinches, p.first, p.last, a, b) > 2share
            cut!(pieces, p, a, b, share, halvings - 1)
        else
            start = a + (b - a) * NODES[1]
            nearest = argmin([abs(node(p, j) - start) for j in eachindex(NODES)])
            push!(pieces, (a, b, p.roots[:, nearest]))
        end
    end
end
