# Inverses of many matrices z - H at once: LANES samples side by side in a vector register, so that every step of the
# elimination is one instruction for all of them.

const LANES = 4
const Lane = NTuple{LANES,VecElement{Float64}}

for (name, operation) in ((:plus, "fadd"), (:minus, "fsub"), (:times, "fmul"), (:over, "fdiv"))
    code = "%3 = $operation contract <4 x double> %0, %1\nret <4 x double> %3"
    @eval @inline $name(a::Lane, b::Lane) = Base.llvmcall($code, Lane, Tuple{Lane,Lane}, a, b)
end
lane(x::Real) = ntuple(_ -> VecElement(Float64(x)), Val(LANES))
lane(f::Function) = ntuple(l -> VecElement{Float64}(f(l)), Val(LANES))

"""
    LaneTables(n, shift, degree)

exp(2 pi i h m2), h = -degree .. degree, at the n points m2 = (j + shift)/n of a row: (2 degree + 1) x n/LANES, real and
imaginary parts. `n` is a multiple of LANES.
"""
struct LaneTables
    re::Matrix{Lane}
    im::Matrix{Lane}
end

function LaneTables(n::Integer, shift::Real, degree::Integer)
    phase(l, h, b) = cis(2pi * rem(h * (LANES * (b - 1) + l - 1 + shift) / n, 1, RoundNearest))
    part(f) = [lane(l -> f(phase(l, h, b))) for h in (-degree):degree, b in 1:(n ÷ LANES)]
    return LaneTables(part(real), part(imag))
end

"""
    LaneScratch(d)

Room for LANES matrices d x d while they are inverted.
"""
struct LaneScratch
    re::Matrix{Lane}
    im::Matrix{Lane}
    column_re::Vector{Lane}
    column_im::Vector{Lane}
    pivots::Vector{Int}
end

LaneScratch(d::Integer) =
    LaneScratch(fill(lane(0), d, d), fill(lane(0), d, d), fill(lane(0), d), fill(lane(0), d), zeros(Int, d))

"""
    inverse_samples!(samples, scratch, harmonics, z, tables)

[z - H]^-1, or g of a surface, on the points of the tables: `samples` (points, d^2), column-major over the matrix. `harmonics`
hold H along the row as the scratch's `inverse_lanes!` takes it: here (2 degree + 1, d^2), H being Hermitian.
"""
function inverse_samples!(samples, s, harmonics, z, tables::LaneTables)
    d = isqrt(size(samples, 2))
    for b in axes(tables.re, 2)
        g = inverse_lanes!(s, harmonics, z, view(tables.re, :, b), view(tables.im, :, b))
        first = LANES * (b - 1)
        @inbounds for j in 1:d, i in 1:d
            x, y, e = g.re[i, j], g.im[i, j], i + (j - 1) * d
            for l in 1:LANES
                samples[first + l, e] = complex(x[l].value, y[l].value)
            end
        end
    end
    return samples
end

function inverse_lanes!(s::LaneScratch, harmonics, z, phases_re, phases_im)
    shifted_lanes!(s, harmonics, z, phases_re, phases_im)
    invert_lanes!(s)
    return s
end

function shifted_lanes!(s::LaneScratch, harmonics, z, phases_re, phases_im)
    d = size(s.re, 1)
    @inbounds for j in 1:d, i in 1:j
        e = i + (j - 1) * d
        x, y = lane(0), lane(0)
        for h in axes(harmonics, 1)
            c = harmonics[h, e]
            iszero(c) && continue
            u, v, p, q = lane(real(c)), lane(imag(c)), phases_re[h], phases_im[h]
            x = plus(minus(x, times(u, p)), times(v, q))
            y = minus(minus(y, times(u, q)), times(v, p))
        end
        if i == j
            s.re[i, i], s.im[i, i] = plus(x, lane(real(z))), lane(imag(z))
        else
            s.re[i, j], s.im[i, j] = x, y
            s.re[j, i], s.im[j, i] = x, minus(lane(0), y)
        end
    end
end

# Gauss-Jordan in place. All lanes share the order of the pivots: the row whose smallest pivot is largest.
function invert_lanes!(s::LaneScratch)
    d, re, im, cr, ci = size(s.re, 1), s.re, s.im, s.column_re, s.column_im
    @inbounds for k in 1:d
        p = common_pivot(s, k)
        s.pivots[k] = p
        for j in 1:d
            re[k, j], re[p, j] = re[p, j], re[k, j]
            im[k, j], im[p, j] = im[p, j], im[k, j]
        end
        for i in 1:d
            cr[i], ci[i] = re[i, k], im[i, k]
            re[i, k] = im[i, k] = lane(0)
        end
        scale = over(lane(1), plus(times(cr[k], cr[k]), times(ci[k], ci[k])))
        u, v = times(cr[k], scale), minus(lane(0), times(ci[k], scale)) # the pivot's inverse
        re[k, k] = lane(1)
        cr[k] = ci[k] = lane(0)
        for j in 1:d
            x, y = re[k, j], im[k, j]
            x, y = minus(times(x, u), times(y, v)), plus(times(x, v), times(y, u))
            re[k, j], im[k, j] = x, y
            for i in 1:d
                re[i, j] = plus(minus(re[i, j], times(cr[i], x)), times(ci[i], y))
                im[i, j] = minus(minus(im[i, j], times(cr[i], y)), times(ci[i], x))
            end
        end
    end
    @inbounds for k in d:-1:1, i in 1:d
        p = s.pivots[k]
        re[i, k], re[i, p] = re[i, p], re[i, k]
        im[i, k], im[i, p] = im[i, p], im[i, k]
    end
end

@inline function common_pivot(s::LaneScratch, k)
    best, p = -1.0, k
    @inbounds for i in k:size(s.re, 1)
        size2 = plus(times(s.re[i, k], s.re[i, k]), times(s.im[i, k], s.im[i, k]))
        smallest = min(size2[1].value, size2[2].value, size2[3].value, size2[4].value)
        smallest > best && ((best, p) = (smallest, i))
    end
    return p
end
