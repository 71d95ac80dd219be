# Rows of a block of any size. Two half-shifted sets of samples and the poles near the unit circle, which are followed
# from row to row and taken out (near_poles.jl, exponentials.jl): what a row costs does not depend on the broadening.
# Nothing is trusted because it was followed: what the two sets show beyond the known poles is the row's error; where it
# is not small, poles are sought anew, and where that does not help either, samples are doubled.

const MOST_SAMPLES = 2^17
const ROW_ACCURACY = 1e-6       # what the two sets may show beyond the poles, relative to the row
const FADED = 1e-8              # aliases, relative to the pole, that need neither correction nor, in the alarm, a name
const NEGLIGIBLE = 1e-9         # share of what the sets show of a pole that their mean may keep
const MOST_POLES = 64

"""
    DenseRows(solver, bonds, half, samples)

Samples, poles and corrections for the rows of a block; one per task. `samples` of a set are taken at a time.
Without room for poles, `most_poles = 0`, rows are sampled until they stand still: so are those of a surface, whose bulk
bands make branch cuts and no poles.
"""
mutable struct DenseRows{B,S}
    solver::DensePath
    half::Int
    samples::Int
    phases::RowPhases
    tables::LaneTables
    scratch::S
    harmonics::Matrix{ComplexF64}     # 2 degree + 1, elements
    turned::Matrix{ComplexF64}        # the same for shifted samples
    buffer::B                         # samples, d^2
    turns::Vector{ComplexF64}
    transform::FFTW.Transform
    mean::Array{Float64,3}            # F(r), |r| <= reach, by element, real and imaginary parts: of both sets
    difference::Array{Float64,3}      # half the difference of the sets
    probes::Array{Float64,3}
    shares::Matrix{Float64}           # of the elements in the probes
    poles::NearPoles
    fit::Exponentials
    roots::Vector{ComplexF64}         # w by slot, 0 where there is none
    strengths::Matrix{Float64}        # |residue|^2 by element and slot, 0 of empty ones
    before::Vector{ComplexF64}        # places on the row before the last
    m1::NTuple{2,Float64}             # of the last two rows
end

function DenseRows(
    solver::DensePath, bonds::Bonds, half::Integer, samples::Integer; most_poles = solver.reach == 0 ? MOST_POLES : 0
)
    d, degree, n = block_size(solver), solver.degree, Int(samples)
    reach = max(half, min(64, 3n ÷ 8))
    room() = zeros(2reach + 1, 2, d^2)
    harmonics() = zeros(ComplexF64, 2degree + 1, length(solver.elements))
    slots() = zeros(ComplexF64, most_poles)
    return DenseRows(
        solver, Int(half), n, RowPhases(bonds), LaneTables(n, 0, degree), lane_scratch(solver), harmonics(),
        harmonics(),
        FFTW.aligned(ComplexF64, n, d^2), zeros(ComplexF64, 2reach + 1), FFTW.complex_columns(n, d^2), room(), room(),
        zeros(2reach + 1, 2, PROBES), [sqrt(2) * cos(2.4e^2 + 1.7q) for e in 1:(d^2), q in 1:PROBES],
        NearPoles(d, degree, most_poles), Exponentials(reach, most_poles), slots(), zeros(d^2, most_poles), slots(),
        (NaN, NaN),
    )
end

function exact_row!(values, sums, rows::DenseRows, z, m1, seed)
    on_row!(rows.phases, m1)
    for (e, element) in enumerate(rows.solver.elements)
        harmonics!(view(rows.harmonics, :, e), element, rows.phases)
    end
    predict!(rows, m1, seed)
    fill!(rows.mean, 0)
    fill!(rows.difference, 0)
    add_samples!(rows.mean, rows, z, 0.0, 1.0)
    add_samples!(rows.difference, rows, z, 0.5, 1.0)
    sets, n = 1, rows.samples
    error, enough = explain!(rows, z, n)
    while !enough && n < MOST_SAMPLES && isfinite(error)
        sets *= 2
        n *= 2
        fill!(rows.difference, 0)
        foreach(i -> add_samples!(rows.difference, rows, z, (i - 0.5) / sets, 1 / sets), 1:sets)
        error, enough = explain!(rows, z, n)
    end
    correct!(rows, n)
    store!(values, sums, rows)
    for k in eachindex(rows.roots)
        rows.roots[k] = is_there(rows.poles, k) ? exp(rows.poles.places[k]) : 0
    end
    return error
end

# Where the poles of the last row, or those of a neighbouring one, are to be expected.
function predict!(rows::DenseRows, m1, seed)
    poles = rows.poles
    if seed === rows.roots
        last, before = rows.m1
        step = (m1 - last) / (last - before)
        isfinite(step) || (step = 0.0)
        here = copy(poles.places)
        for k in eachindex(here)
            here[k] == 0 && continue
            guess = here[k] + step * last_move(here, rows.before, k)
            poles.places[k] = (real(guess) < 0) == (real(here[k]) < 0) ? turned(guess) : turned(complex(real(here[k]), imag(guess)))
        end
        copyto!(rows.before, here)
        rows.m1 = (m1, last)
    else
        fill!(poles.known, false)
        fill!(rows.before, 0)
        fill!(poles.places, 0)
        if seed !== nothing
            for k in eachindex(seed)
                poles.places[k] = seed[k] == 0 ? 0 : log(seed[k])
            end
        end
        rows.m1 = (m1, NaN)
    end
end

# How a pole has moved; one that was found on the last row is taken to have moved as the nearest that was there before.
function last_move(here, before, k)
    nearest, move = Inf, 0.0im
    for j in eachindex(here)
        (here[j] == 0 || before[j] == 0) && continue
        away = j == k ? 0.0 : abs(turned(here[j] - here[k]))
        away < nearest && ((nearest, move) = (away, turned(here[j] - before[j])))
    end
    return move
end

# Fourier coefficients of G from the samples m2 = (j + shift)/n, times their share, added to `sums`.
function add_samples!(sums, rows::DenseRows, z, shift, share)
    n, degree, reach = rows.samples, rows.solver.degree, rows.fit.reach
    for e in axes(rows.harmonics, 2), h in (-degree):degree
        rows.turned[h + degree + 1, e] = rows.harmonics[h + degree + 1, e] * cis(2pi * h * shift / n)
    end
    inverse_samples!(rows.buffer, rows.scratch, rows.turned, z, rows.tables)
    FFTW.transform!(rows.buffer, rows.buffer, rows.transform)
    for r in (-reach):reach
        rows.turns[r + reach + 1] = share / n * cis(2pi * r * shift / n)
    end
    @inbounds for e in axes(sums, 3)
        for (first, last, skipped) in ((1, reach, n - reach), (reach + 1, 2reach + 1, -reach))
            @simd ivdep for r in first:last
                x = rows.turns[r] * rows.buffer[r + skipped, e]
                sums[r, 1, e] += real(x)
                sums[r, 2, e] += imag(x)
            end
        end
    end
end

"""
    explain!(rows, z, n)

Poles for sets of n samples; returns what the difference of the sets shows beyond them, and whether that is little.
"""
function explain!(rows::DenseRows, z, n)
    reach = -log(FADED) / (n - rows.half)
    combine!(rows)
    allowed = ROW_ACCURACY * sqrt(sum(abs2, rows.mean) + sum(abs2, rows.difference))
    if isempty(rows.roots) # no room for poles
        error = unexplained(rows.fit, rows.probes, rows.half)
        return error, error <= allowed
    end
    polish!(rows.poles, rows.harmonics, z, 1.2reach)
    error = shown_error!(rows, n)
    for q in axes(rows.probes, 3) # a pole may be faint in one of them
        error > allowed || break
        for s in shown_poles(view(rows.probes, :, :, q))
            abs(real(s)) < reach || continue
            slot = findfirst(==(0), rows.poles.places)
            slot === nothing && break
            rows.poles.places[slot], rows.poles.known[slot], rows.before[slot] = s, false, 0
        end
        polish!(rows.poles, rows.harmonics, z, 1.2reach)
        error = shown_error!(rows, n)
    end
    return error, error <= allowed
end

# A pole that is taken for its neighbour hides in the fit: what is left of it counts as often as the aliases of the
# pole nearest to the circle add up, 1/(1 - u^2).
function shown_error!(rows::DenseRows, n)
    left = unexplained(prepare!(rows.fit, rows.poles), rows.probes, rows.half)
    nearest = mapreduce(s -> s == 0 ? Inf : abs(real(s)), min, rows.poles.places; init = Inf)
    return left / -expm1(-2n * nearest)
end

# Both sets to their mean and half their difference, and the difference to the probes.
function combine!(rows::DenseRows)
    mean, difference, probes = rows.mean, rows.difference, rows.probes
    fill!(probes, 0)
    @inbounds for e in axes(mean, 3), c in 1:2
        @simd ivdep for r in axes(mean, 1)
            x, y = mean[r, c, e], difference[r, c, e]
            mean[r, c, e], difference[r, c, e] = (x + y) / 2, (x - y) / 2
        end
        for q in axes(probes, 3)
            share = rows.shares[e, q]
            @simd ivdep for r in axes(mean, 1)
                probes[r, c, q] = muladd(share, difference[r, c, e], probes[r, c, q])
            end
        end
    end
end

# Take the aliases of the poles, u D(r), out of the mean; of elements that are needed at r = 0 only, there.
function correct!(rows::DenseRows, n)
    fit, middle = dual!(rows.fit), rows.fit.reach + 1
    fill!(rows.strengths, 0)
    for p in 1:fit.count
        k = fit.slots[p]
        s = rows.poles.places[k]
        u = real(s) < 0 ? exp(n * s) : exp(-n * s)
        abs(u) < NEGLIGIBLE && continue
        residue = abs2((1 - u^2) / u)
        for e in axes(rows.mean, 3)
            c = inner(fit.dual, p, rows.difference, e)
            if rows.solver.transformed[e]
                rows.strengths[e, k] = residue * abs2(c)
                add_column!(rows.mean, e, -u * c, fit.columns, p)
            else
                x = u * c * complex(fit.columns[middle, 1, p], fit.columns[middle, 2, p])
                rows.mean[middle, 1, e] -= real(x)
                rows.mean[middle, 2, e] -= imag(x)
            end
        end
    end
end

# Transforms of the real and imaginary parts of the elements, and what of the others is needed at r = 0.
function store!(values, sums, rows::DenseRows)
    f = g = 0
    middle, mean = rows.fit.reach + 1, rows.mean
    @inbounds for e in axes(mean, 3)
        if rows.solver.transformed[e]
            @simd ivdep for r in 0:rows.half
                a, b = mean[middle + r, 1, e], mean[middle + r, 2, e]
                c, d = mean[middle - r, 1, e], mean[middle - r, 2, e]
                values[r + 1, f + 1] = complex(a + c, b - d) / 2
                values[r + 1, f + 2] = complex(b + d, c - a) / 2
            end
            f += 2
        else
            sums[g + 1], sums[g + 2] = mean[middle, 1, e], mean[middle, 2, e]
            g += 2
        end
    end
end

"""
    residue_norms!(norms, rows, weights)

Norm of what each pole contributes to the row's transforms, over |r| <= half and fields; 0 of those far away.
"""
function residue_norms!(norms, rows::DenseRows, weights)
    fill!(norms, 0)
    f = 0
    for e in axes(rows.strengths, 1)
        rows.solver.transformed[e] || continue
        f += 2 # real and imaginary parts
        norms .+= weights[f]^2 .* view(rows.strengths, e, :)
    end
    norms .= sqrt.(norms)
    return norms
end
