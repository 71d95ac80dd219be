"""
    Element(vectors, amplitudes)
    Element(bonds, i, j, down = 0)

One matrix element of H as its bonds with nonzero amplitude, to the layer so far `down`.
"""
struct Element
    vectors::Vector{Tuple{Int,Int}}
    amplitudes::Vector{ComplexF64}
end

function Element(bonds::Bonds, i::Integer, j::Integer, down::Integer = 0)
    kept = filter(n -> layer(bonds, n) == down && !iszero(bonds.matrices[i, j, n]), axes(bonds.matrices, 3))
    return Element([(bonds.vectors[1, n], bonds.vectors[2, n]) for n in kept], bonds.matrices[i, j, kept])
end

"""
    harmonics!(c, element, phases)

Coefficients of exp(2 pi i h m2), h = -H .. H, of the element on the row of the phases.
"""
function harmonics!(c::AbstractVector, element::Element, phases::RowPhases)
    fill!(c, 0)
    middle = (length(c) + 1) ÷ 2
    for (n, (r1, r2)) in enumerate(element.vectors)
        @inbounds c[middle + r2] += element.amplitudes[n] * phases.values[phases.reach + 1 + r1]
    end
    return c
end

"""
    RealSeries{H}

f(m2) = mean + sum_h (cosine_h cos(2 pi h m2) + sine_h sin(2 pi h m2)), h = 1 .. H.
"""
struct RealSeries{H}
    mean::Float64
    cosine::NTuple{H,Float64}
    sine::NTuple{H,Float64}
end

function real_part(c::AbstractVector, ::Val{H}) where {H}
    m = H + 1
    return RealSeries{H}(
        real(c[m]),
        ntuple(h -> real(c[m + h]) + real(c[m - h]), Val(H)),
        ntuple(h -> imag(c[m - h]) - imag(c[m + h]), Val(H)),
    )
end

function imaginary_part(c::AbstractVector, ::Val{H}) where {H}
    m = H + 1
    return RealSeries{H}(
        imag(c[m]),
        ntuple(h -> imag(c[m + h]) + imag(c[m - h]), Val(H)),
        ntuple(h -> real(c[m + h]) - real(c[m - h]), Val(H)),
    )
end

"""
    Tables(grid, degree)
    Tables(n, shift, degree)

cos(2 pi h m2) and sin(2 pi h m2) on the n points m2 = (j + shift)/n of a row, n x degree, and
exp(2 pi i h m2) for h = -degree .. degree, (2 degree + 1) x n.
"""
struct Tables
    cosine::Matrix{Float64}
    sine::Matrix{Float64}
    phases::Matrix{ComplexF64}
end

Tables(grid::Grid, degree::Integer) = Tables([root(grid, h * j) for h in (-degree):degree, j in 0:(grid.n - 1)])
Tables(n::Integer, shift::Real, degree::Integer) =
    Tables([cis(2pi * h * (j + shift) / n) for h in (-degree):degree, j in 0:(n - 1)])

function Tables(phases::Matrix{ComplexF64})
    degree = size(phases, 1) ÷ 2
    positive = permutedims(view(phases, (degree + 2):(2degree + 1), :))
    return Tables(real.(positive), imag.(positive), phases)
end

# The sum is written out term by term, so that the loop over a row becomes one vectorised body.
@generated function value(series::RealSeries{H}, cosine, sine, j) where {H}
    sum = :(series.mean)
    for h in 1:H
        sum = :(muladd(series.cosine[$h], cosine[j, $h], muladd(series.sine[$h], sine[j, $h], $sum)))
    end
    return quote
        $(Expr(:meta, :inline, :propagate_inbounds))
        $sum
    end
end
