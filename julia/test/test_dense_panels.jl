# What the rule does on panels of large blocks.

mean_error(f, rule) = abs(sum(GapScope.WEIGHTS[j] * f(GapScope.LEGENDRE_ZEROS[j]) for j in 1:GapScope.POINTS) - rule)
fine_average(f, n = 4000) = sum(f(-1 + (2j - 1) / n) for j in 1:n) / n
rms(x) = sqrt(sum(abs2, x) / length(x))

@testset "a wave beside a pinch multiplies the rule's error by what is foreseen" begin
    for place in (0.3 + 0.25im, -1.15 + 0.1im, -0.6 - 0.3im), turn in (1.0, 4.0, 6.0)
        singular(t) = 1 / sqrt(t - place)
        error(c) = mean_error(t -> singular(t) * cis(c * t), fine_average(t -> singular(t) * cis(c * t)))
        found = rms(error.(range(-turn, stop = turn, length = 41)))
        foreseen = error(0.0) * GapScope.growth(turn, imag(place))
        @test found / 2 < foreseen < 2found
    end
end

@testset "poles that turn too fast for the nodes count, and those that do not don't" begin
    half = 64
    # The error's root mean square over the window for w^r2 exp(i c t), w = exp(-decay) exp(i rate t).
    function direct(turn, rate, decay)
        errors = weight = 0.0
        for r2 in 0:half, c in range(-turn, stop = turn, length = 33), side in (-1, 1)
            k = c + side * rate * r2
            errors += exp(-2decay * r2) * mean_error(t -> cos(k * t), sinc(k / pi))^2
            weight += exp(-2decay * r2)
        end
        return sqrt(errors / weight)
    end
    for (turn, rate, decay) in ((6.3, 0.25, 0.0), (6.3, 0.2, 0.01), (2.0, 0.4, 0.05), (4.0, 0.4, 0.02))
        found = direct(turn, rate, decay)
        @test found > 1e-7
        roots = [exp(complex(-decay, rate * t)) for _ in 1:1, t in GapScope.LEGENDRE_ZEROS]
        @test found / 2 < GapScope.wave_error(roots, ones(1, GapScope.POINTS), half, turn) < 5found
    end
    slow = [exp(complex(-0.01, 0.05 * t)) for _ in 1:1, t in GapScope.LEGENDRE_ZEROS]
    @test GapScope.wave_error(slow, ones(1, GapScope.POINTS), half, 4.0) < 1e-12
end

@testset "panels are cut to as few pieces as their pinches allow" begin
    _, bonds, z = dense_states()[2]
    solver = GapScope.DensePath(bonds, collect(1:4), false, 1:4)
    integral = GapScope.RowIntegral(solver, bonds, z, 8)
    of_pinches(p, a, b) = GapScope.DENSE_SAFETY * GapScope.foreseen_error(p.pinches, p.first, p.last, a, b, 8)
    worst = sort(integral.panels; by = p -> -GapScope.pinch_error(p.pinches))[1:3]
    for p in worst, part in (1e-1, 1e-3)
        share = part * of_pinches(p, p.first, p.last)
        ends = GapScope.cuts(solver, p, share, 8)
        starts = [p.first; ends[1:(end - 1)]]
        @test issorted(ends) && ends[end] == p.last && minimum(ends .- starts) > 0
        least = GapScope.NARROWEST * GapScope.width(p)
        @test all(of_pinches(p, a, b) <= share || b - a < 2.01least for (a, b) in zip(starts, ends))
        # Halving what errs by too much takes no fewer.
        pieces, count = [(p.first, p.last)], 0
        while !isempty(pieces)
            a, b = popfirst!(pieces)
            fits = of_pinches(p, a, b) <= share || b - a <= least
            fits ? (count += 1) : append!(pieces, [(a, (a + b) / 2), ((a + b) / 2, b)])
        end
        @test length(ends) <= max(count, 2)
    end
    @test GapScope.cuts(solver, worst[1], Inf, 8) == [GapScope.node(worst[1], 8), worst[1].last]
end

@testset "panels of large blocks err by as much as they are said to: $name" for (name, bonds, z) in dense_states()[[1, 2, 4]]
    half = 16
    solver = GapScope.DensePath(bonds, collect(1:4), false, 1:4)
    integral = GapScope.RowIntegral(solver, bonds, z, half)
    GapScope.refine!(integral, 0.02, 10^5)
    finer = GapScope.RowIntegral(solver, bonds, z, half)
    GapScope.refine!(finer, 1e-5, 10^5)
    (here, _), (there, _) = GapScope.window_sums(integral), GapScope.window_sums(finer)
    weights = integral.weights
    # r2 < 0 holds the same again.
    size(x) = sqrt(sum((r2 == 1 ? 1 : 2) * weights[f]^2 * abs2(x[r1, r2, f]) for r1 in axes(x, 1), r2 in axes(x, 2), f in axes(x, 3)))
    said = GapScope.relative_error(integral)
    whole = sqrt(sum(p -> GapScope.width(p) * p.square, finer.panels))
    found = size(here .- there) / whole
    @test found > 1e-6
    @test found < said < 10found
end
