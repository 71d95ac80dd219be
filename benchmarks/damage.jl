# What the error estimate of a whole map says of damage done on purpose: the panel with the largest share removed, or
# every four panels replaced by one, so that a quarter of the rows is left. Run by benchmarks/damage.py, which writes
# the states' bonds, energies and what accuracies are asked for. Errors below that of the splines count as that.
using GapScope

GapScope.FFTW.load(ENV["GAPSCOPE_LIBFFTW3"])

read_array(io, T, dims...) = read!(io, Array{T}(undef, dims...))

struct State
    bonds::GapScope.Bonds
    scatterers::GapScope.Scatterers
    z::ComplexF64
    window::Int
end

function read_state(io)
    window, n, d = read_array(io, Int, 3)
    z = read(io, ComplexF64)
    bonds = GapScope.Bonds(read_array(io, Int, 2, n), read_array(io, ComplexF64, d, d, n))
    return State(bonds, GapScope.Scatterers([(0, 0)], read_array(io, ComplexF64, d, d, 1)), z, window)
end

untouched!(integral) = integral
remove_panel!(integral) =
    deleteat!(integral.panels, argmax([p.square * GapScope.width(p)^2 for p in integral.panels]))

function quarter_rows!(integral)
    starts = [p.first for p in integral.panels[1:4:end]]
    pieces = [(a, b, nothing) for (a, b) in zip(starts, [starts[2:end]; 1 / GapScope.images(integral)])]
    integral.panels = GapScope.evaluate(integral, pieces, 8)
end

function damaged(state, request, damage!)
    bonds, s, z = state.bonds, state.scatterers, state.z
    known, wanted = GapScope.families(bonds), GapScope.touched(s, false)
    solvers = [GapScope.block_solver(bonds, f.block, z, false; wanted = GapScope.related(bonds, f, wanted)) for f in known]
    integrals = [GapScope.RowIntegral(solver, bonds, z, state.window ÷ 2) for solver in solvers]
    for integral in integrals
        GapScope.refine!(integral, request, 10^6)
        damage!(integral)
        GapScope.measure!(integral)
    end
    return GapScope.present_maps(bonds, known, integrals, s, state.window, false)[1]
end

quantile(sorted, q) = sorted[clamp(round(Int, q * length(sorted)), 1, length(sorted))]
number(x, width) = lpad(string(round(x, sigdigits = 2)), width)

share(count, ratios) = lpad(string(round(100count / length(ratios), digits = 1)), 7)

function main(path)
    requests, states = open(path) do io
        requests = read_array(io, Float64, read(io, Int))
        requests, [read_state(io) for _ in 1:read(io, Int)]
    end
    finest = pop!(requests)
    exact(s) = GapScope.converged_maps(s.bonds, s.scatterers, s.z, s.window, finest, 10^7)[1][1].trace
    truth = exact.(states)
    println("request  damage         median error  estimate/error: 5 %   median     95 %  below 1  over 10 (%)")
    for request in requests, damage! in (untouched!, remove_panel!, quarter_rows!)
        errors, ratios = Float64[], Float64[]
        for (state, trace) in zip(states, truth)
            map = damaged(state, request, damage!)
            error, away = max.(GapScope.relative_change(trace, map.trace, state.scatterers), GapScope.SPLINE_ERROR)
            push!(errors, error)
            push!(ratios, map.error / error, map.error_away / away)
        end
        sort!(errors)
        sort!(ratios)
        name = replace(rstrip(string(damage!), '!'), '_' => ' ')
        println(
            rpad(request, 9), rpad(name, 15), number(quantile(errors, 0.5), 12), number(quantile(ratios, 0.05), 21),
            number(quantile(ratios, 0.5), 9), number(quantile(ratios, 0.95), 9),
            lpad(count(<(1), ratios), 4), "/", length(ratios), share(count(>(10), ratios), ratios),
        )
    end
end

main(ENV["GAPSCOPE_STATES"])
