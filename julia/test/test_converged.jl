# Method converged: exact rows, adaptive panels, spreading, and an error estimate that tells the truth.

states() = [
    ("real pair", bdg(electrons(), singlet()), 0.0),
    ("complex pair, real gap", bdg(electrons(), singlet()), 0.3),
    ("complex pair", bdg(electrons(), merge(triplet(0.3im), singlet())), -0.2),
    ("equal spins", bdg(electrons(), triplet(d = SX)), 0.0),
    ("dense", bdg(electrons(rashba = 0.3), singlet()), 0.1),
]

function converged_and_grid(bonds, z, accuracy; n = 1024, window = 16, budget = 10^6)
    v = ComplexF64[1.5 0.2 0 0; 0.2 1.1 0 0; 0 0 -1.5 -0.2; 0 0 -0.2 -1.1]
    map = GapScope.converged_map(bonds, v, z, window, accuracy, budget)
    trace, dos, g0 = zeros(ComplexF64, window, window, 1), zeros(1), zeros(ComplexF64, 4, 4, 1)
    GapScope.grid_maps!(trace, dos, g0, bonds, v, [real(z)], imag(z), n)
    return map, trace[:, :, 1], dos[1], g0[:, :, 1]
end

@testset "all roots are found, close pairs and a vanishing leading coefficient included" begin
    for wanted in ([0.5, 0.5001, 0.98im, 2.0, 1.01im, -3.0], [0.2, -0.9, 0.9im, 1.5, 1.6im, -1.1])
        q = ComplexF64[1]
        for w in wanted
            q = [0; q] .- [w .* q; 0]
        end
        w = zeros(ComplexF64, 6)
        @test GapScope.find_roots!(w, q)
        @test all(x -> minimum(abs.(w .- x)) < 1e-9, filter(x -> 0.8 < abs2(x) < 1.25, wanted))
    end
    w = zeros(ComplexF64, 4) # (w - 0.95)(w - 1.1), two roots at infinity would be missing inside
    GapScope.find_roots!(w, ComplexF64[0, 1.045, -2.05, 1.0, 0])
    @test minimum(abs.(w .- 0.95)) < 1e-9 && minimum(abs.(w .- 1.1)) < 1e-9
    @test all(isfinite, w)
end

@testset "a row is exact: $name" for (name, bonds, w) in states()
    half, z, n = 8, w + 0.02im, 2^14
    solver = GapScope.block_solver(bonds, GapScope.connected_blocks(bonds)[1], z)
    rows = GapScope.rows_of(solver, bonds, half)
    fields = GapScope.field_count(solver)
    values, sums = zeros(ComplexF64, half + 1, fields), zeros(GapScope.local_count(solver))
    samples, total = zeros(n, fields), zeros(GapScope.local_count(solver))
    tables = GapScope.Tables(n, 0.0, 1)
    for m1 in (0.0, 0.13, 0.37, 0.5, 0.81)
        error = GapScope.exact_row!(values, sums, rows, z, m1, nothing)
        phases = GapScope.on_row!(GapScope.RowPhases(bonds), m1)
        GapScope.row!(samples, total, solver, GapScope.workspace(solver), z, phases, tables)
        direct = [sum(samples[j + 1, f] * cis(2pi * j * r / n) for j in 0:(n - 1)) / n for r in 0:half, f in 1:fields]
        size = maximum(abs, direct)
        @test maximum(abs, values .- direct) < 1e-7 * size
        @test isempty(sums) || maximum(abs, sums .- total ./ n) < 1e-7 * size
        @test error < 1e-6 * size
    end
end

@testset "a lost pole shows in the row's own error" begin
    half, z = 8, 0.01im
    bonds = bdg(electrons(), triplet(d = SX))
    solver = GapScope.block_solver(bonds, GapScope.connected_blocks(bonds)[1], z)
    rows = GapScope.PoleRows(solver, bonds, half)
    fields = GapScope.field_count(solver)
    right, wrong, sums = zeros(ComplexF64, half + 1, fields), zeros(ComplexF64, half + 1, fields), zeros(2)
    from_circle(m1) = (GapScope.exact_row!(right, sums, rows, z, m1, nothing); minimum(abs.(log.(abs.(rows.roots)))))
    distances = from_circle.(0:0.01:1)
    @test from_circle(0.01 * (argmin(distances) - 1)) < 0.03
    rows.roots[argmin(abs.(log.(abs.(rows.roots))))] = 1e-3
    GapScope.corrections!(rows)
    shown = GapScope.combine!(wrong, rows)
    real_error = sqrt(sum(abs2, wrong .- right))
    @test real_error > 1e-4
    @test real_error < shown < 10real_error
end

@testset "spreading equals the plain sums" begin
    bonds = bdg(electrons(), singlet())
    solver = GapScope.block_solver(bonds, [1, 4], 0.3im)
    integral = GapScope.RowIntegral(solver, bonds, 0.3im, 8)
    sums, _ = GapScope.window_sums(integral)
    for r1 in (-8, -3, 0, 8), r2 in (0, 5), f in 1:3
        direct = sum(
            GapScope.width(p) * GapScope.WEIGHTS[j] * cis(2pi * GapScope.node(p, j) * r1) * p.values[r2 + 1, f, j]
            for p in integral.panels for j in eachindex(GapScope.NODES)
        )
        @test sums[r1 + 9, r2 + 1, f] ≈ direct atol = 1e-6 * maximum(abs, sums)
    end
end

@testset "a converged map is the fine grid's: $name" for (name, bonds, w) in states()
    for accuracy in (0.05, 0.002)
        map, trace, dos, g0 = converged_and_grid(bonds, w + 0.05im, accuracy)
        error, away = GapScope.relative_change(trace, map.trace)
        @test map.reached
        @test max(map.error, map.error_away) <= accuracy
        @test error <= map.error + 1e-6
        @test away <= map.error_away + 1e-6
        @test map.dos ≈ dos rtol = accuracy
        @test map.g0 ≈ g0 rtol = accuracy
    end
end

@testset "an impurity without strength changes nothing, and that is soon known" begin
    bonds = bdg(electrons(), triplet(d = SX))
    map = GapScope.converged_map(bonds, zeros(ComplexF64, 4, 4), 0.05im, 8, 0.01, 10^6)
    @test map.reached
    @test iszero(map.trace)
    @test map.error == map.error_away == 0
end

@testset "a map that is not finite ends the search" begin
    v = fill(complex(NaN), 4, 4)
    map = GapScope.converged_map(bdg(electrons(), singlet()), v, 0.05im, 8, 0.01, 10^6)
    @test !map.reached
end

@testset "a gap for one spin leaves a block of holes that converges too" begin
    up = Dict(r => ComplexF64[1 0; 0 0] * d * ComplexF64[1 0; 0 0] for (r, d) in triplet(d = SX))
    bonds = bdg(electrons(), up)
    @test [4] in GapScope.connected_blocks(bonds)
    map, trace, dos, g0 = converged_and_grid(bonds, 0.3 + 0.05im, 0.002)
    error, away = GapScope.relative_change(trace, map.trace)
    @test map.reached
    @test error <= map.error + 1e-6
    @test away <= map.error_away + 1e-6
    @test map.g0 ≈ g0 rtol = 0.002
end

@testset "a map that runs out of rows says so" begin
    map, trace, _, _ = converged_and_grid(bdg(electrons(), triplet(d = SX)), 0.01im, 1e-4; n = 8192, budget = 1)
    error, _ = GapScope.relative_change(trace, map.trace)
    @test !map.reached
    @test error < map.error
end
