const MOST_SAMPLES = 2^17
const DENSE_ACCURACY = 1e-5

"""
    DenseRows(solver, bonds, samples)

Rows of a block of any size: from `samples` on, their number is doubled until the transforms stand still. The trapezoid
rule converges exponentially here, an error e turning into e^2, so the last change bounds it well.
"""
struct DenseRows{B}
    solver::DensePath
    scratch::DenseWorkspace
    phases::RowPhases
    start::Int
    levels::Vector{Tuple{Tables,B,FFTW.Transform}} # filled as they are needed
    sums::Vector{Float64}
    roots::Vector{ComplexF64}                      # none: nothing is followed from row to row
end

function DenseRows(solver::DensePath, bonds::Bonds, samples::Integer)
    levels = [dense_level(solver, samples, 0.0)]
    return DenseRows(
        solver, workspace(solver), RowPhases(bonds), Int(samples), levels,
        zeros(local_count(solver)), ComplexF64[],
    )
end

function dense_level(solver::DensePath, n::Integer, shift::Real)
    fields = field_count(solver)
    return Tables(n, shift, solver.degree), RowBuffers(n, fields), FFTW.real_rows(n, fields)
end

function exact_row!(values, sums, rows::DenseRows, z, m1, seed)
    on_row!(rows.phases, m1)
    fill!(values, 0)
    fill!(sums, 0)
    n, level = rows.start, 1
    while true
        level > length(rows.levels) && push!(rows.levels, dense_level(rows.solver, n ÷ 2, 0.5))
        change = refine_row!(values, sums, rows, rows.levels[level], z, level == 1)
        size = norm2(values)
        if level > 1
            change <= DENSE_ACCURACY * size && return change^2 / size
            n >= MOST_SAMPLES && return change
        end
        n *= 2
        level += 1
    end
end

residue_norms!(norms, rows::DenseRows, weights) = norms

norm2(values) = sqrt(sum(abs2, values))

# One more set of samples, half-way between those before; returns the norm of the change.
function refine_row!(values, sums, rows::DenseRows, (tables, buffers, transform), z, first)
    row!(buffers.fields, rows.sums, rows.solver, rows.scratch, z, rows.phases, tables)
    FFTW.transform!(buffers.spectra, buffers.fields, transform)
    n, share, change = size(buffers.fields, 1), first ? 1.0 : 0.5, 0.0
    @inbounds for r in axes(values, 1)
        turn = first ? complex(1.0) : cis(pi * (r - 1) / n)
        for f in axes(values, 2)
            step = share * (conj(buffers.spectra[r, f]) * turn / n - values[r, f])
            values[r, f] += step
            change += abs2(step)
        end
    end
    sums .+= share .* (rows.sums ./ n .- sums)
    return sqrt(change)
end
