# Errors of panels that are measured: Kronrod's nodes, the error that Gauss's rule makes, and what a map's estimate is then.

@testset "Kronrod's nodes and weights are those of QUADPACK's qk31, exact to degree 46" begin
    change, further = GapScope.CHANGE, GapScope.FURTHER_CHANGE
    nodes, weights = [GapScope.NODES; GapScope.FURTHER_NODES], [GapScope.WEIGHTS .+ change; further]
    @test GapScope.FURTHER_ZEROS[end] ≈ 0.998002298693397060285172840152271 rtol = 1e-14
    @test 2further[1] ≈ 0.005377479872923348987792051430128 rtol = 1e-12
    @test 2weights[8] ≈ 0.101330007014791549017374792767493 rtol = 1e-12
    for degree in (0, 29, 30, 46)
        @test sum(weights .* nodes .^ degree) ≈ 1 / (degree + 1) rtol = 1e-13
    end
    wrong(degree) = abs(sum(weights .* (2nodes .- 1) .^ degree) - 1 / (degree + 1))
    @test wrong(46) < 1e-15 < wrong(60)
end

whole_integral(bonds, z, half) =
    GapScope.RowIntegral(GapScope.DensePath(bonds, collect(1:GapScope.dimension(bonds)), false, [1, 2]), bonds, z, half)

@testset "a measured error is the one that Gauss's rule makes: $name" for (name, bonds, z) in dense_states()[1:2]
    half = 8
    integral = whole_integral(bonds, z, half)
    GapScope.refine!(integral, 0.05, 10^6)
    chosen, before = sortperm(GapScope.error_of.(integral.panels); rev = true)[1:6], integral.rows
    GapScope.measure_panels!(integral, chosen)
    @test integral.rows - before == 16 * 6
    turns(p, r1) = GapScope.width(p) .* GapScope.WEIGHTS .* cis.(2pi * r1 .* GapScope.node.(Ref(p), 1:GapScope.POINTS))
    average(p, r1) = sum(t .* p.values[:, :, j] for (j, t) in enumerate(turns(p, r1)))
    counts = [r == 1 ? 1.0 : 2.0 for r in 1:(half + 1)] .* (integral.weights') .^ 2
    for p in integral.panels[chosen]
        ends = range(p.first, p.last, length = 5)
        parts = GapScope.evaluate(integral, [(ends[k], ends[k + 1], p.roots[:, 3k]) for k in 1:4], 1)
        errors = [average(p, r1) .- sum(q -> average(q, r1), parts) for r1 in (-half):half]
        made = sqrt(sum(e -> sum(counts .* abs2.(e)), errors) / length(errors))
        @test made > 1e-6 * GapScope.width(p) * sqrt(p.square)
        @test 0.6made < GapScope.width(p) * p.tail < 1.6made
        @test made < GapScope.error_of(p)
    end
end

@testset "the error on the window is what Kronrod's rule changes, as plain sums" begin
    bonds, z = dense_states()[2][2:3]
    integral = whole_integral(bonds, z, 8)
    GapScope.measure_panels!(integral, collect(eachindex(integral.panels)))
    _, errors = GapScope.window_sums(integral)
    for r1 in (-8, 0, 3), r2 in (0, 5), f in (1, 4)
        direct = sum(integral.panels) do p
            turn(x) = cis(2pi * r1 * (p.first + GapScope.width(p) * x))
            inner = sum(GapScope.CHANGE[j] * turn(x) * p.values[r2 + 1, f, j] for (j, x) in enumerate(GapScope.NODES))
            outer = (GapScope.FURTHER_CHANGE[j] * turn(x) * p.further[r2 + 1, f, j] for (j, x) in enumerate(GapScope.FURTHER_NODES))
            GapScope.error_of(p) / p.tail * (inner + sum(outer))
        end
        @test errors[r1 + 9, r2 + 1, f] ≈ direct atol = 1e-5 * maximum(abs, errors)
    end
end

@testset "what may lie above the error by more than a factor is measured, and no more" begin
    bonds, z = dense_states()[1][2:3]
    integral = whole_integral(bonds, z, 16)
    GapScope.refine!(integral, 0.01, 10^6)
    loose, values = GapScope.relative_error(integral), [p.values for p in integral.panels]
    GapScope.measure!(integral)
    left = filter(!GapScope.is_measured, integral.panels)
    known = filter(GapScope.is_measured, integral.panels)
    @test !isempty(left) && !isempty(known)
    @test sum(p -> GapScope.error_of(p)^2, left) <= 9sum(p -> GapScope.error_of(p)^2, known)
    @test GapScope.relative_error(integral) < 0.7loose
    @test [p.values for p in integral.panels] == values # the rule stays Gauss's
    one_band = bdg(electrons(), singlet())
    pairs = GapScope.RowIntegral(GapScope.block_solver(one_band, [1, 4], z, false), one_band, z, 8)
    rows = pairs.rows
    GapScope.measure!(pairs)
    @test pairs.rows == rows
end
