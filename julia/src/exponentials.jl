# Two half-shifted sets of n samples give the Fourier coefficients F(r) with the aliases F(r + k n). Half their
# difference is D(r) = sum_p C_p w_p^r over the poles w_p of the row, of which only those near the unit circle have any
# weight, and what the mean of the sets has too much is M(r) = sum_p u_p C_p w_p^r, u = w^n inside the circle and w^-n
# outside. So the C_p follow from D by least squares, whatever the rank of the residues, and what of D is not a sum of
# the poles that are known says how wrong the row is. Where it is not small, D itself tells the poles: they are the
# eigenvalues of a shift in the space of its stretches (ESPRIT; R. Roy, T. Kailath, IEEE TASSP 37, 984 (1989)).

const PROBES = 3
const STRETCH = 48
const SPARK = 1e-11             # of the largest stretch: less is rounding

"""
    Exponentials(reach, capacity)

Least squares for sums of w^r, |r| <= reach. Columns are real and imaginary parts, (2 reach + 1) x 2 x capacity.
"""
mutable struct Exponentials
    reach::Int
    count::Int
    slots::Vector{Int}
    columns::Array{Float64,3}       # w_p^r of norm one: V = Q R
    basis::Array{Float64,3}         # Q, orthonormal
    triangle::Matrix{ComplexF64}    # R
    dual::Array{Float64,3}          # (V^+)^H: the share of a column in D is its product with the dual column
end

function Exponentials(reach::Integer, capacity::Integer)
    room() = zeros(2reach + 1, 2, capacity)
    return Exponentials(reach, 0, zeros(Int, capacity), room(), room(), zeros(ComplexF64, capacity, capacity), room())
end

# <a, b> and b += c a for columns of real and imaginary parts.
@inline function inner(a, p, b, q)
    x = y = 0.0
    @inbounds @simd for r in axes(a, 1)
        x = muladd(a[r, 1, p], b[r, 1, q], muladd(a[r, 2, p], b[r, 2, q], x))
        y = muladd(a[r, 1, p], b[r, 2, q], muladd(-a[r, 2, p], b[r, 1, q], y))
    end
    return complex(x, y)
end

@inline function add_column!(b, q, c, a, p)
    x, y = real(c), imag(c)
    @inbounds @simd ivdep for r in axes(a, 1)
        b[r, 1, q] = muladd(x, a[r, 1, p], muladd(-y, a[r, 2, p], b[r, 1, q]))
        b[r, 2, q] = muladd(x, a[r, 2, p], muladd(y, a[r, 1, p], b[r, 2, q]))
    end
end

@inline function set_column!(b, q, a, p, scale)
    @inbounds @simd ivdep for r in axes(a, 1)
        b[r, 1, q], b[r, 2, q] = scale * a[r, 1, p], scale * a[r, 2, p]
    end
end

"""
    prepare!(fit, poles)

Take the poles into the basis.
"""
function prepare!(fit::Exponentials, poles::NearPoles)
    fit.count = 0
    for k in eachindex(poles.places)
        is_there(poles, k) || continue
        fit.count += 1
        fit.slots[fit.count] = k
        powers_of!(fit.columns, fit.count, poles.places[k])
        orthonormalise!(fit, fit.count)
    end
    return fit
end

# exp(s r), |r| <= reach, scaled to norm one.
function powers_of!(columns, p, s)
    reach = size(columns, 1) ÷ 2
    up, down = exp(s), exp(-s)
    x = y = one(s)
    columns[reach + 1, 1, p], columns[reach + 1, 2, p] = 1, 0
    @inbounds for r in 1:reach
        x *= up
        y *= down
        columns[reach + 1 + r, 1, p], columns[reach + 1 + r, 2, p] = real(x), imag(x)
        columns[reach + 1 - r, 1, p], columns[reach + 1 - r, 2, p] = real(y), imag(y)
    end
    set_column!(columns, p, columns, p, 1 / sqrt(real(inner(columns, p, columns, p))))
end

# Gram-Schmidt, twice.
function orthonormalise!(fit::Exponentials, p)
    q, triangle = fit.basis, fit.triangle
    set_column!(q, p, fit.columns, p, 1.0)
    triangle[1:p, p] .= 0
    for _ in 1:2, j in 1:(p - 1)
        c = inner(q, j, q, p)
        triangle[j, p] += c
        add_column!(q, p, -c, q, j)
    end
    left = sqrt(real(inner(q, p, q, p)))
    triangle[p, p] = left
    set_column!(q, p, q, p, 1 / left)
end

"""
    dual!(fit)

The dual columns: those of Q R^-H.
"""
function dual!(fit::Exponentials)
    for p in fit.count:-1:1
        set_column!(fit.dual, p, fit.basis, p, 1.0)
        for j in (p + 1):fit.count
            add_column!(fit.dual, p, -conj(fit.triangle[p, j]), fit.dual, j)
        end
        set_column!(fit.dual, p, fit.dual, p, 1 / real(fit.triangle[p, p]))
    end
    return fit
end

"""
    unexplained(fit, probes, half)

Norm of what of the probes (2 reach + 1, 2, PROBES) is no sum of the poles, for |r| <= half.
"""
function unexplained(fit::Exponentials, probes, half)
    rest = copy(probes)
    for q in axes(rest, 3), j in 1:fit.count
        add_column!(rest, q, -inner(fit.basis, j, rest, q), fit.basis, j)
    end
    kept = (fit.reach + 1 - half):(fit.reach + 1 + half)
    return sqrt(sum(abs2, view(rest, kept, :, :)) / size(rest, 3))
end

"""
    shown_poles(probe)

s = ln w of the exponentials whose sum the probe (2 reach + 1, 2) is; none of what is not finite.
"""
function shown_poles(probe)
    all(isfinite, probe) || return ComplexF64[]
    n = size(probe, 1)
    span = min(STRETCH, n ÷ 2)
    stretches = [complex(probe[i + j, 1], probe[i + j, 2]) for i in 1:span, j in 0:(n - span)]
    factors, scales, _ = LAPACK.geqp3!(stretches)
    sizes = abs.(diag(factors))
    found = min(count(>(SPARK * sizes[1]), sizes), span - 1)
    found == 0 && return ComplexF64[]
    space = LAPACK.orgqr!(factors[:, 1:found], scales[1:found])
    # Least squares for the shift: without their last row l the columns have the Gram matrix 1 - l l^H.
    last = conj(space[end, :])
    shift = space[1:(end - 1), :]' * space[2:end, :]
    shift .+= last * (last' * shift) ./ (1 - sum(abs2, last))
    return [turned(log(w)) for w in eigvals!(shift) if abs(w) > 0]
end
