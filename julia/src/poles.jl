# The average over a row, F(r) = int dm2 exp(2 pi i m2 r) f(m2), of functions f = N(w)/det(w) that are
# rational in w = exp(2 pi i m2): n samples give F with the aliases F(r + k n). A pole w_p with residue R
# of f contributes, with u = w_p^n inside the circle, u = w_p^-n outside and s = +1, -1,
#   aliases of samples at m2 = j/n:          s R w_p^(r-1) u / (1 - u)
#   aliases of samples at m2 = (j + 1/2)/n: -s R w_p^(r-1) u / (1 + u)
# so poles near the circle are corrected for in closed form, and those far from it need no correction.
# Both sets of samples are taken: their mean is the result, their difference shows what is wrong with it.

const POLE_REACH = 1e-9         # poles that would contribute less need no correction

"""
    PoleRows(solver, bonds, half, samples = 4half)

Samples, roots and corrections for the rows of a pair solver; one per task. Two sets of `samples` points a row.
"""
struct PoleRows{S,B,V}
    solver::S
    samples::Int
    tables::NTuple{2,Tables}
    buffers::NTuple{2,B}
    transform::FFTW.Transform
    scratch::V
    phases::RowPhases
    polynomials::NTuple{4,Vector{ComplexF64}} # a, b, Re D, Im D as below
    det::Vector{ComplexF64}
    roots::Vector{ComplexF64}
    before::Vector{ComplexF64}                # roots of the row before: the seed may be `roots` itself
    residues::Matrix{Float64}                 # |residue|^2 by function and root; 0 of those far from the circle
    powers::Matrix{ComplexF64}                # w^r, w^-r
    mean::Array{ComplexF64,3}                 # c(r), c(-r) by function
    difference::Array{ComplexF64,3}
    sums::Matrix{Float64}
end

function PoleRows(
    solver::Union{RealPair{H},ComplexPair{H}}, bonds::Bonds, half::Integer, samples::Integer = 4half
) where {H}
    n, fields = Int(samples), field_count(solver)
    polynomials = ntuple(_ -> zeros(ComplexF64, 2H + 1), 4)
    corrections() = zeros(ComplexF64, half + 1, 2, function_count(solver))
    return PoleRows(
        solver, n, (Tables(n, 0.0, H), Tables(n, 0.5, H)), (RowBuffers(n, fields), RowBuffers(n, fields)),
        FFTW.real_rows(n, fields), workspace(solver), RowPhases(bonds), polynomials,
        zeros(ComplexF64, 4H + 1), zeros(ComplexF64, 4H), zeros(ComplexF64, 4H), zeros(function_count(solver), 4H),
        zeros(ComplexF64, half + 1, 2), corrections(), corrections(), zeros(max(1, local_count(solver)), 2),
    )
end

# Functions with poles of det alone: those of RealPair are its fields; those of ComplexPair are complex,
# two fields each: (z - b)/det, Re(D')/det, unless D' is real Im(D')/det, and where it is wanted (z - a)/det.
function_count(::RealPair) = 3
function_count(solver::ComplexPair) = field_count(solver) ÷ 2

# Laurent coefficients of the numerators and of det, as polynomials after multiplication by w^H, w^2H.
function polynomials!(rows::PoleRows{RealPair{H}}, z) where {H}
    a, _, p, _ = rows.polynomials
    harmonics!(a, rows.solver.a, rows.phases)
    harmonics!(p, rows.solver.p, rows.phases)
    fill!(rows.det, 0)
    add_product!(rows.det, a, a, -1)
    add_product!(rows.det, p, p, -1)
    rows.det[2H + 1] += z^2
    return nothing
end

function polynomials!(rows::PoleRows{ComplexPair{H,RealGap,Whole}}, z) where {H,RealGap,Whole}
    a, b, dr, di = rows.polynomials
    for (x, element) in ((a, rows.solver.a), (b, rows.solver.b))
        harmonics!(x, element, rows.phases)
        x .*= -1
        x[H + 1] += z
    end
    harmonics!(dr, rows.solver.d, rows.phases)
    for h in 1:(H + 1) # D' = Dr + i Di with Dr, Di real on the circle
        x, y = dr[h], dr[2H + 2 - h]
        dr[h], dr[2H + 2 - h] = (x + conj(y)) / 2, (y + conj(x)) / 2
        di[h], di[2H + 2 - h] = (x - conj(y)) / 2im, (y - conj(x)) / 2im
    end
    fill!(rows.det, 0)
    add_product!(rows.det, a, b, 1)
    add_product!(rows.det, dr, dr, -1)
    RealGap || add_product!(rows.det, di, di, -1)
    return nothing
end

function add_product!(q, x, y, factor)
    @inbounds for i in eachindex(x), j in eachindex(y)
        q[i + j - 1] += factor * (x[i] * y[j])
    end
end

# Numerators times w^H: those of the functions, the last one (of ComplexPair) that of G_hh.
@inline function numerators(rows::PoleRows{RealPair{H}}, w) where {H}
    a, _, p, _ = rows.polynomials
    return w^H, horner(a, w)[1], horner(p, w)[1]
end
@inline function numerators(rows::PoleRows{ComplexPair{H,RealGap,Whole}}, w) where {H,RealGap,Whole}
    a, b, dr, di = rows.polynomials
    real_parts = horner(b, w)[1], horner(dr, w)[1]
    return RealGap ? (real_parts..., horner(a, w)[1]) : (real_parts..., horner(di, w)[1], horner(a, w)[1])
end

degree(rows::PoleRows) = length(rows.det) ÷ 4

"""
    exact_row!(values, sums, rows, z, m1, seed)

Transforms of all fields on the row m1, (half + 1) x fields, and averages of what is needed at r = 0 only.
`seed` holds the roots of a neighbouring row, or is nothing. Returns the norm of the error that the two
sets of samples show.
"""
function exact_row!(values, sums, rows::PoleRows, z, m1, seed)
    on_row!(rows.phases, m1)
    for (tables, buffers, sum) in zip(rows.tables, rows.buffers, eachcol(rows.sums))
        row!(buffers.fields, sum, rows.solver, rows.scratch, z, rows.phases, tables)
        FFTW.transform!(buffers.spectra, buffers.fields, rows.transform)
    end
    polynomials!(rows, z)
    seed === nothing || copyto!(rows.before, copyto!(rows.roots, seed))
    # Roots that are not found leave their aliases, which the two sets of samples show.
    seed !== nothing && follow_roots!(rows.roots, rows.det) || find_roots!(rows.roots, rows.det)
    seed === nothing || match_roots!(rows.roots, rows.before)
    hole = corrections!(rows)
    for k in 1:local_count(rows.solver)
        sums[k] = (rows.sums[k, 1] + rows.sums[k, 2]) / 2rows.samples - (k == 1 ? real(hole) : imag(hole))
    end
    return combine!(values, rows)
end

# c(r) and c(-r) of every function, for the mean and for the difference of the two sets of samples; returns
# the mean's correction of G_hh at r = 0.
function corrections!(rows::PoleRows)
    H, n, half = degree(rows), rows.samples, size(rows.powers, 1) - 1
    fill!(rows.mean, 0)
    fill!(rows.difference, 0)
    fill!(rows.residues, 0)
    hole = zero(ComplexF64)
    nearest = POLE_REACH^(1 / (n - half))
    for (k, w) in enumerate(rows.roots)
        nearest < abs(w) < 1 / nearest || continue
        v = reciprocal(w)
        inside = abs2(w) < 1
        u = (inside ? w : v)^n
        _, slope = horner(rows.det, w)
        # f = n w^-H / (Q w^-2H): the residue over w is n w^(H - 1) / Q'
        residue = (inside ? 1 : -1) * w^H * v * reciprocal(slope)
        of_mean, of_difference = residue * u^2 * reciprocal(1 - u^2), residue * u * reciprocal(1 - u^2)
        top = numerators(rows, w)
        powers!(rows.powers, w, v)
        for f in 1:size(rows.mean, 3)
            add_powers!(rows.mean, rows.powers, f, of_mean * top[f])
            add_powers!(rows.difference, rows.powers, f, of_difference * top[f])
            rows.residues[f, k] = abs2(residue * top[f])
        end
        hole += of_mean * last(top)
    end
    return hole
end

"""
    residue_norms!(norms, rows, weights)

Norm of what each root contributes to the row's transforms, over |r| <= half and fields; 0 of those far away.
"""
function residue_norms!(norms, rows::PoleRows, weights)
    per_function = length(weights) ÷ size(rows.residues, 1)
    half = size(rows.powers, 1) - 1
    for k in eachindex(norms)
        squares = sum(weights[per_function * f]^2 * rows.residues[f, k] for f in axes(rows.residues, 1))
        size = min(abs2(rows.roots[k]), abs2(reciprocal(rows.roots[k])))
        norms[k] = sqrt(squares * (1 + 2size * (1 - size^half) / (1 - size)))
    end
    return norms
end

function powers!(powers, w, v)
    x, y = one(w), one(w)
    @inbounds for r in axes(powers, 1)
        powers[r, 1], powers[r, 2] = x, y
        x *= w
        y *= v
    end
end

function add_powers!(sums, powers, f, c)
    @inbounds for side in 1:2
        @simd for r in axes(powers, 1)
            sums[r, side, f] += c * powers[r, side]
        end
    end
end

# Mean of the two sets of samples with its correction; the half-shifted set turns by exp(i pi r / n).
function combine!(values, rows::PoleRows)
    n, error = rows.samples, 0.0
    first, second = rows.buffers[1].spectra, rows.buffers[2].spectra
    @inbounds for r in axes(values, 1)
        turn = cis(pi * (r - 1) / n)
        weight = r == 1 ? 1 : 2
        for f in axes(values, 2)
            x, y = conj(first[r, f]) / n, conj(second[r, f]) * turn / n
            mean, difference = field_corrections(rows, r, f)
            values[r, f] = (x + y) / 2 - mean
            error += weight * abs2((x - y) / 2 - difference)
        end
    end
    return sqrt(error)
end

@inline field_corrections(rows::PoleRows{<:RealPair}, r, f) =
    @inbounds rows.mean[r, 1, f], rows.difference[r, 1, f]
@inline function field_corrections(rows::PoleRows{<:ComplexPair}, r, f)
    g, imaginary = (f + 1) ÷ 2, iseven(f)
    part(c) = @inbounds imaginary ? (c[r, 1, g] - conj(c[r, 2, g])) / 2im : (c[r, 1, g] + conj(c[r, 2, g])) / 2
    return part(rows.mean), part(rows.difference)
end
