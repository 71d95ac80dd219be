# What one row of a converged map costs, step by step, on one thread:
#   python -m gapscope.kernel.provision --run benchmarks/rows.jl
using GapScope

GapScope.FFTW.load(ENV["GAPSCOPE_LIBFFTW3"])

"""A band with NbSe2's shells (up to R2 = 4) and a gap, singlet or equal-spin triplet."""
function model(triplet)
    shells = [((1, 0), 33.52), ((1, 1), 97.26), ((2, 0), -2.11), ((2, 1), -13.53), ((3, 0), -10.3), ((2, 2), 3.48), ((3, 1), 1.69)]
    turn((a, b)) = (-b, a + b)
    flip((a, b)) = (b, a)
    terms = Dict((0, 0) => zeros(ComplexF64, 4, 4))
    at(r) = get!(() -> zeros(ComplexF64, 4, 4), terms, r)
    for (bond, t) in shells
        orbit = Set([bond, flip(bond)])
        for _ in 1:5
            union!(orbit, turn.(collect(orbit)))
        end
        for r in orbit
            at(r) .+= t .* [1 0 0 0; 0 1 0 0; 0 0 -1 0; 0 0 0 -1]
        end
    end
    for n in 0:5
        r = (1, 0)
        for _ in 1:n
            r = turn(r)
        end
        soc = -13.27im * (-1)^n
        at(r) .+= soc .* [1 0 0 0; 0 -1 0 0; 0 0 1 0; 0 0 0 -1]
        gap = triplet ? (-1)^n * 0.5im .* [1 0; 0 -1] : ComplexF64[0 1; -1 0]
        at(r)[1:2, 3:4] .+= gap
        at((-r[1], -r[2]))[3:4, 1:2] .+= gap'
    end
    vectors = collect(keys(terms))
    return GapScope.Bonds(hcat(collect.(vectors)...), cat((terms[v] for v in vectors)...; dims = 3))
end

function per_row(step, rows, count)
    step(rows, 0.2)
    start = time_ns()
    for n in 1:count
        step(rows, 0.2 + 0.1n / count)
    end
    return (time_ns() - start) / count / 1000
end

sample(rows, m1) =
    for (tables, buffers, sum) in zip(rows.tables, rows.buffers, eachcol(rows.sums))
        GapScope.row!(buffers.fields, sum, rows.solver, rows.scratch, Z, GapScope.on_row!(rows.phases, m1), tables)
    end
transform(rows, m1) =
    foreach(buffers -> GapScope.FFTW.transform!(buffers.spectra, buffers.fields, rows.transform), rows.buffers)
function roots(rows, m1)
    GapScope.on_row!(rows.phases, m1)
    GapScope.polynomials!(rows, Z)
    GapScope.follow_roots!(rows.roots, rows.det)
end
corrections(rows, m1) = GapScope.corrections!(rows)

const Z = 0.1im
const HALF = 64

for (name, triplet) in (("real pair", false), ("complex pair", true))
    bonds = model(triplet)
    solver = GapScope.block_solver(bonds, GapScope.connected_blocks(bonds)[1], Z, false)
    rows = GapScope.PoleRows(solver, bonds, HALF)
    values = zeros(ComplexF64, HALF + 1, GapScope.field_count(solver))
    sums = zeros(GapScope.local_count(solver))
    GapScope.exact_row!(values, sums, rows, Z, 0.2, nothing)
    whole(rows, m1) = GapScope.exact_row!(values, sums, rows, Z, m1, rows.roots)
    combine(rows, m1) = GapScope.combine!(values, rows)
    println("$name, $(GapScope.field_count(solver)) fields, $(2rows.samples) samples per row:")
    for (what, step) in (("samples", sample), ("transforms", transform), ("roots", roots), ("corrections", corrections), ("sum of both sets", combine), ("whole row", whole))
        println("  ", rpad(what, 18), lpad(round(per_row(step, rows, 2000), digits = 2), 7), " us")
    end
end
