# What the error estimate of a whole map says of damage done on purpose: the panel with the largest share removed, or
# every four panels replaced by one, so that a quarter of the rows is left. Run by benchmarks/damage.py, which writes
# the states' bonds.
using GapScope

GapScope.FFTW.load(ENV["GAPSCOPE_LIBFFTW3"])

const Z, WINDOW = 0.1im, 128

read_array(io, T, dims...) = read!(io, Array{T}(undef, dims...))

function read_states(path)
    open(path) do io
        map(1:read(io, Int)) do _
            n = read(io, Int)
            bonds = GapScope.Bonds(read_array(io, Int, 2, n), read_array(io, ComplexF64, 4, 4, n))
            bonds, GapScope.Scatterers([(0, 0)], read_array(io, ComplexF64, 4, 4, 1))
        end
    end
end

untouched!(integral) = integral
remove_panel!(integral) =
    deleteat!(integral.panels, argmax([p.square * GapScope.width(p)^2 for p in integral.panels]))

function quarter_rows!(integral)
    starts = [p.first for p in integral.panels[1:4:end]]
    pieces = [(a, b, nothing) for (a, b) in zip(starts, [starts[2:end]; 1.0])]
    integral.panels = GapScope.evaluate(integral, pieces, 8)
end

function damaged(bonds, impurity, request, damage!)
    known = GapScope.families(bonds)
    solvers = [GapScope.block_solver(bonds, family.block, Z, false) for family in known]
    integrals = [GapScope.RowIntegral(solver, bonds, Z, WINDOW ÷ 2) for solver in solvers]
    foreach(integral -> GapScope.refine!(integral, request, 10^6), integrals)
    foreach(damage!, integrals)
    return GapScope.present_maps(bonds, known, integrals, impurity, WINDOW, false)[1]
end

quantile(sorted, q) = sorted[clamp(round(Int, q * length(sorted)), 1, length(sorted))]
number(x, width) = lpad(string(round(x, sigdigits = 2)), width)

function main(path)
    states = read_states(path)
    exact(bonds, v) = GapScope.converged_maps(bonds, v, Z, WINDOW, 1e-6, 10^7)[1][1].trace
    truth = [exact(state...) for state in states]
    println("request  damage         median error  estimate/error: 5 %   median     95 %  below")
    for request in (0.05, 0.005, 0.0005), damage! in (untouched!, remove_panel!, quarter_rows!)
        errors, ratios = Float64[], Float64[]
        for ((bonds, v), trace) in zip(states, truth)
            map = damaged(bonds, v, request, damage!)
            error, away = GapScope.relative_change(trace, map.trace, v)
            push!(errors, error)
            push!(ratios, map.error / error, map.error_away / away)
        end
        sort!(errors)
        sort!(ratios)
        name = replace(rstrip(string(damage!), '!'), '_' => ' ')
        println(
            rpad(request, 9), rpad(name, 15), number(quantile(errors, 0.5), 12), number(quantile(ratios, 0.05), 21),
            number(quantile(ratios, 0.5), 9), number(quantile(ratios, 0.95), 9), lpad(count(<(1), ratios), 4), "/", length(ratios),
        )
    end
end

main(ENV["GAPSCOPE_STATES"])
