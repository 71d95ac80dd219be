# Where the average over m2 is nearly singular as a function of m1: a root inside the unit circle meets one outside.

"""
    Pinch(place, amplitude, error)

F = amplitude (t - place)^(-1/2) near a complex `place`, the panel being -1 < t < 1, and the rule's error for it.
"""
struct Pinch
    place::ComplexF64
    amplitude::Float64
    error::Float64
end

"""
    pinches_of(roots, strengths, tail)

What the roots at the nodes show, for each root inside the circle that of the largest error over all r of the window.

As a function of m1, F is singular where a root inside the unit circle meets one outside: the square of their
distance vanishes linearly at a place t0, the panel being (-1, 1), and the residues grow as 1/distance, so that
F = B (t - t0)^(-1/2) nearby. A secant through neighbouring nodes gives t0, the residue gives B; the rule's error for
that function is known. Such a t0 may lie so close to the axis that no node sees it.
"""
function pinches_of(roots::AbstractMatrix, strengths::AbstractMatrix, tail::Real)
    found = Pinch[]
    for a in axes(roots, 1)
        worst = NO_PINCH
        for b in axes(roots, 1)
            at = nearest_node(roots, strengths, a, b)
            at == 0 && continue
            # Roots that only seem to meet do so at different places for different neighbours.
            neighbours = at == 1 ? (2, 3) : at == POINTS ? (POINTS - 1, POINTS - 2) : (at - 1, at + 1)
            known = filter(n -> roots[a, n] != 0 && roots[b, n] != 0, neighbours)
            isempty(known) && continue
            here = mapreduce(n -> pinch_of_pair(roots, strengths, a, b, at, n, tail), milder, known)
            worst = worse(worst, here)
        end
        worst === NO_PINCH || push!(found, worst)
    end
    return found
end

const NO_PINCH = Pinch(0, 0, 0)
# An error that is no number stays.
milder(x::Pinch, y::Pinch) = isnan(y.error) || y.error < x.error ? y : x
worse(x::Pinch, y::Pinch) = isnan(y.error) || y.error > x.error ? y : x

function pinch_error(pinches)
    total = 0.0
    for p in pinches
        total += p.error^2
    end
    return sqrt(total)
end

# The node at which the root a, inside and near the circle, is nearest to the root b outside; 0 where there is none.
function nearest_node(roots, strengths, a, b)
    nearest, at = Inf, 0
    @inbounds for j in axes(roots, 2)
        strengths[a, j] > 0 && abs2(roots[a, j]) < 1 < abs2(roots[b, j]) || continue
        distance = abs2(roots[a, j] - roots[b, j])
        distance < nearest && ((nearest, at) = (distance, j))
    end
    return at
end

function pinch_of_pair(roots, strengths, a, b, at, next, tail)
    here, there = (roots[a, at] - roots[b, at])^2, (roots[a, next] - roots[b, next])^2
    here == there && return NO_PINCH
    slope = (there - here) / (LEGENDRE_ZEROS[next] - LEGENDRE_ZEROS[at])
    amplitude = strengths[a, at] * sqrt(abs(here / slope))
    place = LEGENDRE_ZEROS[at] - here / slope
    error, seen = singular_rules(place)
    shown = min(amplitude, tail / max(seen, floatmin()))
    return Pinch(place, shown, error * shown)
end

# The same for Kronrod's rule.
kronrod_pinch_error(pinches) =
    sqrt(sum(abs2, [p.amplitude * singular_error(p.place, KRONROD_ZEROS, KRONROD_WEIGHTS) for p in pinches]))

# For (t - t0)^(-1/2) on (-1, 1): a rule's error of the average.
singular_error(t0, zeros, weights) =
    abs(sum(w / sqrt(x - t0) for (x, w) in zip(zeros, weights)) - sqrt(1 - t0) + sqrt(-1 - t0))

# For (t - t0)^(-1/2) on (-1, 1): the rule's error of the average, and the tail that the null rules see.
function singular_rules(t0)
    average = c = d = zero(ComplexF64)
    for j in eachindex(WEIGHTS)
        x = 1 / sqrt(LEGENDRE_ZEROS[j] - t0)
        average += WEIGHTS[j] * x
        c += NULL_RULES[j, 3] * x
        d += NULL_RULES[j, 4] * x
    end
    return abs(average - sqrt(1 - t0) + sqrt(-1 - t0)), sqrt(abs2(c) + abs2(d))
end

"""
    foreseen_error(pinches, first, last, a, b)

Error of the contribution that a < m1 < b would make as a panel of its own, by the pinches of the panel first < m1 < last.
"""
function foreseen_error(pinches, first, last, a, b)
    scale = (last - first) / (b - a)
    middle = (a + b - first - last) / (last - first)
    squares = 0.0
    for p in pinches
        squares += (p.amplitude * sqrt(scale) * singular_rules((p.place - middle) * scale)[1])^2
    end
    return (b - a) * sqrt(squares)
end
