# Estimates of panels say how large an error may be, and lie above it by anything from 1 to 1e5. What a map's error
# consists of is measured instead: Kronrod's rule, whose 16 further rows stand between those of Gauss, is exact where
# Gauss's begins to be good, so that their difference is the error that Gauss's rule makes.

# Measured errors are counted so many times: Kronrod's rule has an error, too. Where they come near to the estimate, the
# rows may be too far apart for both rules, and the larger of the two counts.
const MEASURED_SAFETY = 1.5
confirmed(rule, measured) = 2measured < rule ? measured : max(rule, measured)

# Estimates that nothing has confirmed may hold so many times as much as what was measured.
const UNCONFIRMED = 3.0
# Panels are measured until that is so, each time those that hold this part of the unconfirmed.
const PART_MEASURED = 0.75
# The estimates of large blocks lie above the error by so much that panels which meet the request are finer than it asks,
# before anything is measured. Of 5, 10, 20 and 40 times the request 10 takes the fewest rows in benchmarks/orbitals.py.
const FIRST_REQUEST = 10.0
first_request(::Union{RealPair,ComplexPair}) = 1.0
first_request(::DensePath) = FIRST_REQUEST

is_measured(p::Panel) = !isempty(p.further)

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
end

# `values`, (half + 1) x fields x 16, is scratch.
function measured(rows, values, p::Panel{T}, z, weights) where {T}
    sums, seed = zeros(local_count(rows.solver)), p.roots[:, 1]
    for (j, x) in enumerate(FURTHER_NODES)
        exact_row!(view(values, :, :, j), sums, rows, z, p.first + width(p) * x, seed)
        seed = rows.roots
    end
    change = change_norm(p.values, values, weights, width(p))
    rule = confirmed(p.rule, MEASURED_SAFETY * change)
    return Panel(
        p.first, p.last, p.values, Complex{T}.(values), p.sums, p.roots, change, rule, p.square, p.check, p.pinches
    )
end

# Norm of what Kronrod's rule changes of the average, as `panel_norms` counts, the mean over five r1 of the window.
function change_norm(values, further, weights, span)
    half = size(values, 1) - 1
    turned(change, nodes) =
        [complex(c) * cis(2pi * half * r * span * x) for (c, x) in zip(change, nodes), r in (-1, -1 / 2, 0, 1 / 2, 1)]
    first, second = turned(CHANGE, NODES), turned(FURTHER_CHANGE, FURTHER_NODES)
    total = 0.0
    for f in axes(values, 2), r in axes(values, 1)
        squares = 0.0
        for k in axes(first, 2)
            x = zero(ComplexF64)
            @inbounds for j in axes(first, 1)
                x += first[j, k] * values[r, f, j]
            end
            @inbounds for j in axes(second, 1)
                x += second[j, k] * further[r, f, j]
            end
            squares += abs2(x)
        end
        total += (r == 1 ? 1 : 2) * weights[f]^2 * squares / size(first, 2)
    end
    return sqrt(total)
end
