# Sums over unevenly spaced rows, F(r1) = sum_j c_j exp(2 pi i m_j r1), by spreading each row over the rows
# of a uniform grid with a B-spline of order 8, one FFT, and division by the spline's response: exact to 2e-7
# for |r1| <= M/8 (a non-uniform FFT; A. Dutt, V. Rokhlin, SIAM J. Sci. Comput. 14, 1368 (1993)).

const SPLINE = 8
const SPLINE_ERROR = 2e-7

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
    window_sums(integral, fields = all, columns = all)

F_f(r) of the fields on the window, and the estimate of its error: (2 half + 1) x columns r2 + 1 x fields each.

The error of a panel is what Kronrod's rule changes, where that has been measured, otherwise the sum of its last two
coefficients, in both cases scaled to `error_of` the panel. COLUMNS values, r2 by r2 and field by field, are spread and
transformed at a time, so that they stay in the processor's cache and memory is that of the results.
"""
function window_sums(integral::RowIntegral, fields = eachindex(integral.weights), columns = 1:(integral.half + 1))
    half, grid = integral.half, Grid(8integral.half)
    panels, gaps = integral.panels, uncovered(integral)
    places = [splines_at(p.first .+ width(p) .* KRONROD_NODES[1:size(p.values, 3)], grid) for p in panels]
    middles = [splines_at([(gap.first + gap.last) / 2], grid) for gap in gaps]
    sources = vec([(column, f) for column in columns, f in fields])
    sums, errors = (zeros(ComplexF64, 2half + 1, length(sources)) for _ in 1:2)
    plan = FFTW.complex_columns(grid.n, COLUMNS)
    batches = [first:min(first + COLUMNS - 1, length(sources)) for first in 1:COLUMNS:length(sources)]
    foreach_chunk(() -> Spread(grid.n), length(batches), 4) do spread, range
        for batch in batches[range]
            spread!(spread, (panels, places), (gaps, middles), sources[batch])
            for (out, rows) in ((sums, spread.sums), (errors, spread.errors))
                transform_spread!(view(out, :, batch), rows, spread.buffer, plan, grid)
            end
        end
    end
    dims = (2half + 1, length(columns), length(fields))
    return reshape(sums, dims), reshape(errors, dims)
end

"""
    Spread(n)

Room for COLUMNS values on n rows, sums and errors, real and imaginary parts in turn.
"""
struct Spread{B}
    sums::Matrix{Float64}
    errors::Matrix{Float64}
    values::Vector{Float64}
    buffer::B
end

Spread(n::Integer) =
    Spread(zeros(2COLUMNS, n), zeros(2COLUMNS, n), zeros(2COLUMNS), FFTW.aligned(ComplexF64, n, COLUMNS))

# Every source is a column of the transforms and a field.
function spread!(s::Spread, (panels, places), (gaps, middles), sources)
    fill!(s.sums, 0)
    fill!(s.errors, 0)
    fill!(s.values, 0)
    for (p, place) in zip(panels, places)
        shares = error_rule(p)
        for j in eachindex(shares)
            take_values!(s.values, p.values, sources, j)
            add_row!(s, place, j, width(p) * p.weights[j], shares[j])
        end
    end
    for (gap, place) in zip(gaps, middles) # as if the neighbour's end went on
        take_values!(s.values, gap.neighbour.values, sources, POINTS)
        add_row!(s, place, 1, 0.0, SAFETY * width(gap))
    end
end

# The error of a panel as a rule: shares of its rows.
error_rule(p::Panel) = error_of(p) / max(p.tail, floatmin()) .* (is_measured(p) ? CHANGE : LAST_COEFFICIENTS)

# The row at a place j, times what it counts in the sum and in the error.
@inline function add_row!(s::Spread, (starts, splines), j, whole, difference)
    n = size(s.sums, 2)
    @inbounds for k in 1:SPLINE
        m = mod(starts[j] + k - 1, n) + 1
        c, e = whole * splines[k, j], difference * splines[k, j]
        @simd ivdep for l in 1:(2COLUMNS)
            s.sums[l, m] += c * s.values[l]
            s.errors[l, m] += e * s.values[l]
        end
    end
end

@inline function take_values!(values, of_panel, sources, j)
    @inbounds for (l, (column, f)) in enumerate(sources)
        x = of_panel[column, f, j]
        values[2l - 1], values[2l] = real(x), imag(x)
    end
end

# Rows spread over the grid to r1 = -half .. half; the spline's response is divided out.
function transform_spread!(out, rows, buffer, plan, grid::Grid)
    half = size(out, 1) ÷ 2
    @inbounds for c in axes(buffer, 2), j in axes(buffer, 1)
        buffer[j, c] = complex(rows[2c - 1, j], rows[2c, j])
    end
    FFTW.transform!(buffer, buffer, plan)
    @inbounds for r1 in (-half):half
        response = 1 / sinc(r1 / grid.n)^SPLINE
        for c in axes(out, 2)
            out[r1 + half + 1, c] = response * buffer[mod(r1, grid.n) + 1, c]
        end
    end
end

# The grid index of the first spline and the values of all, for rows at these m1.
function splines_at(rows, grid::Grid)
    splines = zeros(SPLINE, length(rows))
    starts = [spline!(view(splines, :, j), m1 * grid.n) for (j, m1) in enumerate(rows)]
    return starts, splines
end
