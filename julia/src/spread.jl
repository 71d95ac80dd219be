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

The error of a panel is its difference of the two rules, scaled to the size estimated for it.
"""
function window_sums(integral::RowIntegral)
    half, grid = integral.half, Grid(8integral.half)
    fields = length(integral.weights)
    sums = zeros(ComplexF64, half + 1, grid.n, fields)
    errors = zeros(ComplexF64, half + 1, grid.n, fields)
    block = 16
    columns = [(first:min(first + block - 1, half + 1), f) for first in 1:block:(half + 1), f in 1:fields]
    foreach_chunk(() -> zeros(SPLINE), length(columns), 1) do b, range
        for (r, f) in columns[range], p in integral.panels
            scale = error_of(p) / max(p.spread, floatmin())
            for j in eachindex(NODES)
                start = spline!(b, node(p, j) * grid.n)
                whole, difference = width(p) * WEIGHTS[j], scale * (WEIGHTS[j] - EMBEDDED[j])
                for k in 1:SPLINE
                    m = mod(start + k - 1, grid.n) + 1
                    add_row!(sums, r, m, f, whole * b[k], p.values, j)
                    add_row!(errors, r, m, f, difference * b[k], p.values, j)
                end
            end
        end
    end
    return deconvolve!(transform_columns(sums, grid, half), grid), deconvolve!(transform_columns(errors, grid, half), grid)
end

function add_row!(sums, r, m, f, c, values, j)
    @inbounds @simd for i in r
        sums[i, m, f] += c * values[i, f, j]
    end
end

function deconvolve!(transforms, grid::Grid)
    half = size(transforms, 1) ÷ 2
    for r1 in (-half):half
        transforms[r1 + half + 1, :, :] ./= sinc(r1 / grid.n)^SPLINE
    end
    return transforms
end
