# Sums over unevenly spaced rows, F(r1) = sum_j c_j exp(2 pi i m_j r1), by spreading each row over the rows
# of a uniform grid with a B-spline of order 8, one FFT, and division by the spline's response: exact to 2e-7
# for |r1| <= M/8 (a non-uniform FFT; A. Dutt, V. Rokhlin, SIAM J. Sci. Comput. 14, 1368 (1993)).

const SPLINE = 8

"""
    spline!(b, x)

The 8 B-splines of order 8 that are not zero at x; returns the grid index of the first.
"""
function spline!(b::AbstractVector, x::Real)
    below = floor(Int, x)
    t = x - below
    b[1] = 1.0
    for n in 1:(SPLINE - 1)
        b[n + 1] = t * b[n] / n
        for k in n:-1:2
            b[k] = ((t + n + 1 - k) * b[k - 1] + (k - t) * b[k]) / n
        end
        b[1] = (1 - t) * b[1] / n
    end
    return below - (SPLINE ÷ 2 - 1)
end

"""
    window_sums(integral)

F_f(r) of all fields on the window, and the estimate of its error: (2 half + 1) x (half + 1) x fields each.

The error of a panel is the sum of its last two coefficients, scaled to the size estimated for it.
"""
function window_sums(integral::RowIntegral)
    half, grid = integral.half, Grid(8integral.half)
    fields = length(integral.weights)
    starts, splines = node_splines(integral.panels, grid)
    sums = zeros(ComplexF64, half + 1, grid.n, fields)
    errors = zeros(ComplexF64, half + 1, grid.n, fields)
    block = 16
    columns = [(first:min(first + block - 1, half + 1), f) for first in 1:block:(half + 1), f in 1:fields]
    foreach_chunk(() -> nothing, length(columns), 1) do _, range
        for (r, f) in columns[range], (i, p) in enumerate(integral.panels)
            scale = error_of(p) / max(p.tail, floatmin())
            for j in eachindex(NODES)
                whole, difference = width(p) * WEIGHTS[j], scale * (NULL_RULES[j, 3] + NULL_RULES[j, 4])
                for k in 1:SPLINE
                    m = mod(starts[j, i] + k - 1, grid.n) + 1
                    spline = splines[k, j, i]
                    add_row!(sums, errors, r, m, f, whole * spline, difference * spline, p.values, j)
                end
            end
        end
    end
    for gap in uncovered(integral.panels) # as if the neighbour's end went on
        start = spline!(view(splines, :, 1, 1), (gap.first + gap.last) / 2 * grid.n)
        for f in 1:fields, k in 1:SPLINE
            m = mod(start + k - 1, grid.n) + 1
            add_row!(sums, errors, 1:(half + 1), m, f, 0.0, SAFETY * width(gap) * splines[k, 1, 1], gap.neighbour.values, POINTS)
        end
    end
    return deconvolve!(transform_columns(sums, grid, half), grid), deconvolve!(transform_columns(errors, grid, half), grid)
end

# The grid index of the first spline and the values of all, for every node of every panel.
function node_splines(panels, grid::Grid)
    starts, splines = zeros(Int, POINTS, length(panels)), zeros(SPLINE, POINTS, length(panels))
    for (i, p) in enumerate(panels), j in 1:POINTS
        starts[j, i] = spline!(view(splines, :, j, i), node(p, j) * grid.n)
    end
    return starts, splines
end

function add_row!(sums, errors, r, m, f, c, e, values, j)
    @inbounds @simd for i in r
        x = values[i, f, j]
        sums[i, m, f] += c * x
        errors[i, m, f] += e * x
    end
end

function deconvolve!(transforms, grid::Grid)
    half = size(transforms, 1) ÷ 2
    for r1 in (-half):half
        transforms[r1 + half + 1, :, :] ./= sinc(r1 / grid.n)^SPLINE
    end
    return transforms
end
