# Errors of panels that are measured: Kronrod's nodes, the error that Gauss's rule makes, and what a map's estimate is then.

@testset "Kronrod's nodes and weights are those of QUADPACK's qk31, exact to degree 46" begin
    nodes, weights = GapScope.KRONROD_NODES, GapScope.KRONROD_WEIGHTS
    @test GapScope.FURTHER_ZEROS[end] ≈ 0.998002298693397060285172840152271 rtol = 1e-14
    @test 2weights[GapScope.POINTS + 1] ≈ 0.005377479872923348987792051430128 rtol = 1e-12
    @test 2weights[8] ≈ 0.101330007014791549017374792767493 rtol = 1e-12
    for degree in (0, 29, 30, 46)
        @test sum(weights .* nodes .^ degree) ≈ 1 / (degree + 1) rtol = 1e-13
    end
    wrong(degree) = abs(sum(weights .* (2nodes .- 1) .^ degree) - 1 / (degree + 1))
    @test wrong(46) < 1e-15 < wrong(60)
end

whole_integral(bonds, z, half) =
    GapScope.RowIntegral(GapScope.DensePath(bonds, collect(1:GapScope.dimension(bonds)), false, [1, 2]), bonds, z, half)

# The average over a panel by its own rule, times exp(2 pi i m1 r1), and its error against four panels in its place.
place(p, x) = p.first + GapScope.width(p) * x
average(p, r1) = GapScope.width(p) *
    sum(w * cis(2pi * r1 * place(p, x)) * p.values[:, :, j] for (j, (w, x)) in enumerate(zip(p.weights, GapScope.KRONROD_NODES)))
function errors_made(integral, panels, p)
    counts = [r == 1 ? 1.0 : 2.0 for r in 1:(integral.half + 1)] .* (integral.weights') .^ 2
    ends = range(p.first, p.last, length = 5)
    parts = GapScope.evaluate(integral, [(ends[k], ends[k + 1], p.roots[:, 3k]) for k in 1:4], 1)
    return map(panels) do q
        errors = [average(q, r1) .- sum(part -> average(part, r1), parts) for r1 in (-integral.half):integral.half]
        sqrt(sum(e -> sum(counts .* abs2.(e)), errors) / length(errors))
    end
end

@testset "a measured error is the one that Gauss's rule makes, and Kronrod's is estimated: $name" for
    ((name, bonds, z), halvings) in zip(dense_states(), (0, 4))

    integral = whole_integral(bonds, z, 8)
    for _ in 1:halvings
        errors = GapScope.error_of.(integral.panels)
        GapScope.halve!(integral, errors .> maximum(errors) / 20)
    end
    chosen, before = sortperm(GapScope.error_of.(integral.panels); rev = true)[1:6], integral.rows
    GapScope.measure_panels!(integral, chosen)
    @test integral.rows - before == 16 * 6
    better = tight = 0
    for p in integral.panels[chosen]
        q = GapScope.promoted(p)
        made, left = errors_made(integral, (p, q), p)
        @test made > 1e-6 * GapScope.width(p) * sqrt(p.square)
        @test 0.6made < GapScope.width(p) * p.tail < 1.6made
        @test made < GapScope.error_of(p)
        @test left < GapScope.error_of(q)
        better += left < made / 10
        tight += GapScope.error_of(q) < 30left
    end
    @test better > 0
    @test tight > 3 # roots that cross without weight, which rounding may show or not, let expect more
end

@testset "sums and errors on the window are those of each panel's rule, as plain sums" begin
    bonds, z = dense_states()[2][2:3]
    integral = whole_integral(bonds, z, 8)
    GapScope.measure_panels!(integral, collect(eachindex(integral.panels))[1:2:end])
    integral.panels[1:4:end] = GapScope.promoted.(integral.panels[1:4:end])
    sums, errors = GapScope.window_sums(integral)
    for r1 in (-8, 0, 3), r2 in (0, 5), f in (1, 4)
        direct = map((p -> GapScope.width(p) .* p.weights, GapScope.error_rule)) do rule
            sum(integral.panels) do p
                shares = zip(rule(p), GapScope.KRONROD_NODES)
                sum(c * cis(2pi * r1 * place(p, x)) * p.values[r2 + 1, f, j] for (j, (c, x)) in enumerate(shares))
            end
        end
        @test sums[r1 + 9, r2 + 1, f] ≈ direct[1] atol = 1e-5 * maximum(abs, sums)
        @test errors[r1 + 9, r2 + 1, f] ≈ direct[2] atol = 1e-5 * maximum(abs, errors)
    end
    p = integral.panels[1]
    @test sum(p.weights) ≈ 1 && length(p.weights) == 31
    @test maximum(abs, GapScope.error_rule(p)) ≈ GapScope.error_of(p) / p.tail * maximum(abs, GapScope.CHANGE)
end

@testset "panels are measured, then promoted for nothing, then divided; next to a pinch they are divided at once" begin
    for ((_, bonds, z), hopeful) in zip(dense_states(), (true, false))
        integral = whole_integral(bonds, z, 8)
        share = 0.01maximum(GapScope.error_of.(integral.panels))
        p = integral.panels[findfirst(p -> GapScope.error_of(p) > share && GapScope.may_do(p, share) == hopeful, integral.panels)]
        here() = filter(q -> p.first <= q.first < p.last, integral.panels)
        rows, panels = Int[], Vector[]
        for _ in 1:(hopeful ? 3 : 1)
            before = integral.rows
            GapScope.improve!(integral, in(here()).(integral.panels), share)
            push!(rows, integral.rows - before)
            push!(panels, here())
        end
        if hopeful
            @test rows[1:2] == [16, 0] && rows[3] >= 30
            @test panels[1][1].rule < p.rule && panels[2][1].rule < panels[1][1].rule / 4
            @test panels[2][1].weights == GapScope.KRONROD_WEIGHTS
        else
            @test rows[1] >= 30
        end
        @test length(panels[end]) == rows[end] ÷ 15 > 1
    end
end

@testset "what single precision leaves out counts in the tail, so that no error is spread from its rounding" begin
    bonds, z = dense_states()[1][2:3]
    for p in whole_integral(bonds, z, 8).panels
        @test p.tail == GapScope.panel_norms(p.values, whole_integral(bonds, z, 8).weights, GapScope.width(p))[1]
    end
end

@testset "what may lie above the error by more than a factor is measured, and no more" begin
    bonds, z = dense_states()[1][2:3]
    integral = whole_integral(bonds, z, 16)
    GapScope.halve!(integral, GapScope.error_of.(integral.panels) .> 0)
    loose, values = GapScope.relative_error(integral), [p.values for p in integral.panels]
    GapScope.measure!(integral)
    left = filter(!GapScope.is_measured, integral.panels)
    known = filter(GapScope.is_measured, integral.panels)
    @test !isempty(left) && !isempty(known)
    @test sum(p -> GapScope.error_of(p)^2, left) <= 9sum(p -> GapScope.error_of(p)^2, known)
    @test GapScope.relative_error(integral) < 0.7loose
    @test all(zip(integral.panels, values)) do (p, before) # the rule stays Gauss's
        p.values[:, :, 1:GapScope.POINTS] == before && iszero(p.weights[(GapScope.POINTS + 1):end])
    end
    one_band = bdg(electrons(), singlet())
    pairs = GapScope.RowIntegral(GapScope.block_solver(one_band, [1, 4], z, false), one_band, z, 8)
    rows = pairs.rows
    GapScope.measure!(pairs)
    @test pairs.rows == rows
end
