# Estimates of panels say how large an error may be, and lie above it by anything from 1 to 1e5. What a map's error
# consists of is measured instead: Kronrod's rule, whose 16 further rows stand between those of Gauss, is exact where
# Gauss's begins to be good, so that their difference is the error that Gauss's rule makes. Where that is too large,
# Kronrod's rule takes over, at no further rows.

# Measured errors are counted so many times: Kronrod's rule has an error, too. Where they come near to the estimate, the
# rows may be too far apart for both rules, and the larger of the two counts.
const MEASURED_SAFETY = 1.5
confirmed(rule, measured) = 2measured < rule ? measured : max(rule, measured)

# Estimates that nothing has confirmed may hold so many times as much as what was measured.
const UNCONFIRMED = 3.0
# Panels are measured until that is so, each time those that hold this part of the unconfirmed.
const PART_MEASURED = 0.75

is_measured(p::Panel) = size(p.values, 3) > POINTS

# Rows of large blocks are dear, and their panels are improved by what their errors are expected to be: measured errors as they
# are, estimates that nothing has confirmed divided by this.
const UNCONFIRMED_ABOVE = 4.0
expected_error(p::Panel) = is_measured(p) ? error_of(p) : error_of(p) / UNCONFIRMED_ABOVE
expected_errors(integral::RowIntegral{DensePath}) = expected_error.(integral.panels)

# The fewest panels are improved: those that are left hold at most this part of what all may err by.
const LEFT = 0.7
function largest_left(::RowIntegral{DensePath}, errors, down, share)
    ordered = sort(errors)
    sums = cumsum(abs2.(ordered))
    last = findlast(<=(sums[end] * (LEFT * down)^2), sums)
    return last === nothing ? zero(share) : ordered[last]
end

# So many times a map's accuracy is asked of them first, for what is reached is often less: the larger this is, the fewer rows
# are taken. Of estimates for panels of 4 times 0.05 some fell below the error, for those of twice that none.
const FIRST_REQUEST = 2.0
first_request(::Union{RealPair,ComplexPair}) = 1.0
first_request(::DensePath) = FIRST_REQUEST

# The request that panels meet: of large blocks a smaller one often without having been asked for it.
request_met(::RowIntegral, asked) = asked
request_met(integral::RowIntegral{DensePath}, asked) =
    min(asked, relative_error(integral, expected_errors(integral)))

"""
    measure!(integral)

Measure the errors of those panels that hold most of the estimated error: in the norm of G, estimates that are left are
at most three times what was measured, or all that is estimated is less than the splines' error. The rows of pairs cost
too little for that; their estimates stay.
"""
measure!(::RowIntegral) = nothing

function measure!(integral::RowIntegral{DensePath})
    while relative_error(integral) > SPLINE_ERROR
        order = sortperm(error_of.(integral.panels); rev = true)
        left = filter(i -> !is_measured(integral.panels[i]), order)
        squares = map(i -> error_of(integral.panels[i])^2, left)
        known = sum(p -> is_measured(p) ? error_of(p)^2 : 0.0, integral.panels)
        total = reduce(+, squares; init = 0.0)
        total > UNCONFIRMED^2 * known && isfinite(total) || return nothing
        measure_panels!(integral, left[1:findfirst(>=(PART_MEASURED * total), cumsum(squares))])
    end
end

function measure_panels!(integral::RowIntegral, chosen)
    fields = length(integral.weights)
    make() = rows_of(integral.solver, integral.bonds, integral.half, integral.samples),
        Array{ComplexF64}(undef, integral.half + 1, fields, length(FURTHER_NODES))
    foreach_chunk(make, length(chosen), 1) do (rows, values), range
        for i in chosen[range]
            integral.panels[i] = measured(rows, values, integral.panels[i], integral.z, integral.weights)
        end
    end
    integral.rows += length(FURTHER_NODES) * length(chosen)
    return integral
end

# `values`, (half + 1) x fields x 16, is scratch.
function measured(rows, values, p::Panel, z, weights)
    shares = 2KRONROD_WEIGHTS[(POINTS + 1):end]
    sums, _, _, check = take_rows!(values, rows, z, p.first, p.last, FURTHER_NODES, shares, p.roots[:, 1], weights)
    all = similar(p.values, size(values, 1), size(values, 2), length(KRONROD_NODES))
    all[:, :, 1:POINTS] = p.values
    all[:, :, (POINTS + 1):end] = values
    change = change_norm(all, weights, width(p))
    return Panel(
        p.first, p.last, all, hcat(p.sums, sums), EXTENDED_WEIGHTS, p.roots, change,
        confirmed(p.rule, MEASURED_SAFETY * change), kronrod_error(p, change), p.square, max(p.check, check), p.pinches,
    )
end

# Norm of what Kronrod's rule changes of the average, as `panel_norms` counts, the mean over five r1 of the window.
function change_norm(values, weights, span)
    half = size(values, 1) - 1
    turned = [complex(c) * cis(2pi * half * r * span * x) for (c, x) in zip(CHANGE, KRONROD_NODES), r in (-1, -1 / 2, 0, 1 / 2, 1)]
    total = 0.0
    for f in axes(values, 2), r in axes(values, 1)
        squares = 0.0
        for k in axes(turned, 2)
            x = zero(ComplexF64)
            @inbounds for j in axes(turned, 1)
                x += turned[j, k] * values[r, f, j]
            end
            squares += abs2(x)
        end
        total += (r == 1 ? 1 : 2) * weights[f]^2 * squares / size(turned, 2)
    end
    return sqrt(total)
end

# The error of Kronrod's rule. Where coefficients fall by some factor from degree 12, the tail, to degree 30, at which
# Gauss's rule begins to fail, they fall by it again to degree 48, at which Kronrod's does. Beside a pinch the two errors are
# to each other as the rules' errors for it. Without roots, as at surfaces, pinches are not known, and nothing is promised.
function kronrod_error(p::Panel, change)
    isempty(p.roots) && return Inf
    pinched = pinch_error(p.pinches)
    ratio = pinched > 0 ? kronrod_pinch_error(p.pinches) / pinched : 0.0
    return SAFETY * change * hypot(min(1, change / p.tail), ratio)
end

"""
    promoted(panel)

A measured panel with Kronrod's rule for its answer. Nothing better is known then, and its error follows from what the
rule changed.
"""
promoted(p::Panel) = Panel(
    p.first, p.last, p.values, p.sums, KRONROD_WEIGHTS, p.roots, p.tail, p.kronrod, Inf, p.square, p.check, p.pinches
)

"""
    improve!(integral, chosen, share)

Make the errors of the panels that are `chosen`, a Boolean for each, smaller. What costs no rows comes first: those that
are measured are promoted. Of the others those are measured that Kronrod's rule may do for, and the rest is divided, as
all panels of pairs are, whose rows cost little. `share` is what each may be expected to err by.
"""
improve!(integral::RowIntegral, chosen, share) = divide!(integral, chosen, share)

function improve!(integral::RowIntegral{DensePath}, chosen, share)
    panels = integral.panels
    better = [c && p.kronrod < p.rule for (c, p) in zip(chosen, panels)]
    if any(better)
        panels[better] = promoted.(panels[better])
        return integral
    end
    hopeful = [c && !is_measured(p) && may_do(p, share) for (c, p) in zip(chosen, panels)]
    measure_panels!(integral, findall(hopeful))
    return divide!(integral, chosen .& .!hopeful, UNCONFIRMED_ABOVE * share)
end

may_do(p::Panel, share) = !isempty(p.roots) && SAFETY * width(p) * kronrod_pinch_error(p.pinches) <= 2share
