# Method converged: exact rows, adaptive panels, spreading, and an error estimate that tells the truth.

states() = [
    ("real pair", bdg(electrons(), singlet()), 0.0),
    ("complex pair, real gap", bdg(electrons(), singlet()), 0.3),
    ("complex pair", bdg(electrons(), merge(triplet(0.3im), singlet())), -0.2),
    ("equal spins", bdg(electrons(), triplet(d = SX)), 0.0),
    ("dense", bdg(electrons(rashba = 0.3), singlet()), 0.1),
]

impurity(v) = GapScope.Scatterers([(0, 0)], reshape(v, size(v)..., 1))
const POTENTIAL = ComplexF64[1.5 0.2 0 0; 0.2 1.1 0 0; 0 0 -1.5 -0.2; 0 0 -0.2 -1.1]
const IMPURITY = impurity(POTENTIAL)

function converged(bonds, v, z, window, accuracy, budget)
    maps, _, reached = GapScope.converged_maps(bonds, v, z, window, accuracy, budget)
    return maps[1], reached
end

function on_grid(bonds, z; n = 1024, window = 16, v = IMPURITY)
    trace, dos, g0 = zeros(ComplexF64, window, window, 1), zeros(1), zeros(ComplexF64, 4, 4, 1)
    GapScope.grid_maps!(trace, dos, g0, bonds, v, [real(z)], imag(z), n)
    return trace[:, :, 1], dos[1], g0[:, :, 1]
end

function converged_and_grid(bonds, z, accuracy; n = 1024, window = 16, budget = 10^6)
    return converged(bonds, IMPURITY, z, window, accuracy, budget)..., on_grid(bonds, z; n = n, window = window)...
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

@testset "roots keep their places along a panel, whatever the order they are found in" begin
    before = [0.9, 0.5im, 1.2, 2.0im, -0.3, -3.0 + 0im]
    moved = before .* 1.01
    @test GapScope.match_roots!(moved[[5, 6, 4, 3, 1, 2]], before) == moved
    far = Dict((3, 1) => 0.4S0, (-3, -1) => 0.4S0, (1, 3) => 0.4S0, (-1, -3) => 0.4S0)
    bonds = bdg(merge(electrons(), far), singlet())
    solver = GapScope.block_solver(bonds, GapScope.connected_blocks(bonds)[1], 0.01im, false)
    rows, values = GapScope.rows_of(solver, bonds, 8), zeros(ComplexF64, 9, GapScope.field_count(solver))
    GapScope.exact_row!(values, zeros(0), rows, 0.01im, 0.0, nothing)
    for m1 in 0.05:0.05:1 # steps so long that roots change places
        last_roots = copy(rows.roots)
        GapScope.exact_row!(values, zeros(0), rows, 0.01im, m1, rows.roots)
        @test GapScope.match_roots!(copy(rows.roots), last_roots) == rows.roots
    end
end

@testset "a row is exact: $name" for (name, bonds, w) in states()
    half, z, n = 8, w + 0.02im, 2^14
    solver = GapScope.block_solver(bonds, GapScope.connected_blocks(bonds)[1], z, false)
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
    solver = GapScope.block_solver(bonds, GapScope.connected_blocks(bonds)[1], z, false)
    rows = GapScope.PoleRows(solver, bonds, half)
    fields = GapScope.field_count(solver)
    right, wrong, sums = zeros(ComplexF64, half + 1, fields), zeros(ComplexF64, half + 1, fields), zeros(2)
    from_circle(m1) = (GapScope.exact_row!(right, sums, rows, z, m1, nothing); minimum(abs.(log.(abs.(rows.roots)))))
    distances = from_circle.(0:0.01:1)
    @test from_circle(0.01 * (argmin(distances) - 1)) < 0.03
    # Roots come in sets that are equally far from the circle, and not all of them have a residue.
    from = abs.(log.(abs.(rows.roots)))
    nearest = findall(from .< 1.01 * minimum(from))
    residues = vec(sum(rows.residues; dims = 1))
    rows.roots[nearest[argmax(residues[nearest])]] = 1e-3
    GapScope.corrections!(rows)
    shown = GapScope.combine!(wrong, rows)
    real_error = sqrt(sum(abs2, wrong .- right))
    @test real_error > 1e-4
    @test real_error < shown < 10real_error
end

# Four bands that mix, and the same twice: every pole is double.
function doubled(bonds)
    d = GapScope.dimension(bonds)
    u = [cis(1.3i * j) / sqrt(2) * (i == j ? 1 : (-1)^(i > j)) for i in 1:2, j in 1:2] # not unitary, mixes both copies
    u = Matrix(qr(u).Q)
    electrons, holes = 1:(d ÷ 2), (d ÷ 2 + 1):d
    matrices = zeros(ComplexF64, 2d, 2d, size(bonds.matrices, 3))
    for n in axes(bonds.matrices, 3)
        m = bonds.matrices[:, :, n]
        twice = [kron(ones(1, 1), m) zero(m); zero(m) m]
        mixed = kron(u, Matrix{ComplexF64}(I, d, d))
        order = [electrons; d .+ electrons; holes; d .+ holes]
        matrices[:, :, n] = (mixed * twice * mixed')[order, order]
    end
    return GapScope.Bonds(bonds.vectors, matrices)
end

dense_states() = [
    ("spins mixed", bdg(electrons(rashba = 0.3), singlet()), 0.6 + 0.02im),
    ("sharp", bdg(electrons(rashba = 0.3), singlet()), 0.6 + 0.0005im),
    ("in the gap", bdg(electrons(rashba = 0.05), singlet()), 0.2 + 0.001im),
    ("nearly degenerate", bdg(electrons(ising = 0.0, rashba = 1e-6), singlet()), 0.6 + 0.001im),
]

# Rows of one block by poles, by the same without room for them, and the norm of the difference.
function dense_rows(bonds, half; samples = 64, kw...)
    solver = GapScope.DensePath(bonds, collect(1:GapScope.dimension(bonds)), false, 1:GapScope.dimension(bonds))
    rows = GapScope.DenseRows(solver, bonds, half, samples; kw...)
    return rows, zeros(ComplexF64, half + 1, GapScope.field_count(solver)), zeros(GapScope.local_count(solver))
end

@testset "poles that are followed spare samples and change nothing: $name" for (name, bonds, z) in dense_states()
    half = 8
    rows, values, sums = dense_rows(bonds, half)
    plain, sampled, direct = dense_rows(bonds, half; most_poles = 0)
    seed = nothing
    for m1 in 0.2:0.004:0.26
        error = GapScope.exact_row!(values, sums, rows, z, m1, seed)
        seed = rows.roots
        GapScope.exact_row!(sampled, direct, plain, z, m1, nothing)
        scale = norm(sampled)
        @test norm(values .- sampled) < 3e-6 * scale
        @test norm(sums .- direct) < 3e-6 * scale
        @test error < 1e-5 * scale
        @test all(iszero, plain.roots)
    end
    @test any(!iszero, rows.roots)
end

@testset "a double pole is one pole with a residue of rank two" begin
    bonds, z, half = doubled(bdg(electrons(rashba = 0.3), singlet())), 0.6 + 0.001im, 8
    rows, values, sums = dense_rows(bonds, half)
    plain, sampled, direct = dense_rows(bonds, half; most_poles = 0)
    for m1 in (0.21, 0.24)
        error = GapScope.exact_row!(values, sums, rows, z, m1, nothing)
        GapScope.exact_row!(sampled, direct, plain, z, m1, nothing)
        @test norm(values .- sampled) < 3e-6 * norm(sampled)
        @test error < 1e-6 * norm(sampled)
        @test 0 < count(!iszero, rows.roots) <= 8
    end
end

@testset "a pole that a large block lost shows in the row's own error, and is found again" begin
    bonds, z, half = bdg(electrons(rashba = 0.3), singlet()), 0.6 + 0.0005im, 8
    rows, right, sums = dense_rows(bonds, half)
    seen = 0
    for m1 in 0.2:0.01:0.3
        GapScope.exact_row!(right, sums, rows, z, m1, nothing)
        strongest = argmax(vec(sum(rows.strengths; dims = 1)))
        rows.poles.places[strongest] = 0
        fill!(rows.mean, 0)
        fill!(rows.difference, 0)
        GapScope.add_samples!(rows.mean, rows, z, 0.0, 1.0)
        GapScope.add_samples!(rows.difference, rows, z, 0.5, 1.0)
        GapScope.combine!(rows)
        shown = GapScope.unexplained(GapScope.prepare!(rows.fit, rows.poles), rows.probes, half)
        GapScope.correct!(rows, rows.samples)
        wrong = copy(right)
        GapScope.store!(wrong, sums, rows)
        real_error = sqrt(2) * norm(wrong .- right) # of real and imaginary parts, r >= 0, to that of complex elements
        seen += real_error > 1e-3 * norm(right)
        @test real_error < 3shown
        seed = [k == strongest ? 0.0im : w for (k, w) in enumerate(rows.roots)]
        again = copy(right)
        GapScope.exact_row!(again, sums, rows, z, m1, seed)
        @test norm(again .- right) < 1e-9 * norm(right)
    end
    @test seen > 5
end

@testset "spreading equals the plain sums" begin
    bonds = bdg(electrons(), singlet())
    solver = GapScope.block_solver(bonds, [1, 4], 0.3im, false)
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
        map, reached, trace, dos, g0 = converged_and_grid(bonds, w + 0.05im, accuracy)
        error, away = GapScope.relative_change(trace, map.trace, IMPURITY)
        @test reached
        @test max(map.error, map.error_away) <= accuracy
        @test error <= map.error + 1e-6
        @test away <= map.error_away + 1e-6
        @test map.dos ≈ dos rtol = accuracy
        @test map.g0 ≈ g0 rtol = accuracy
    end
end

@testset "what a pinch lets expect of a part of a panel is what the rule does there" begin
    first, last = 0.2, 0.3
    for (a, b) in ((0.2, 0.25), (0.25, 0.275), (0.2625, 0.26875)), m1 in (0.266 + 1e-3im, 0.24 - 3e-4im)
        place(x, y) = 2(m1 - (x + y) / 2) / (y - x)
        singular(x) = 3 / sqrt(x - m1)
        rule = sum(GapScope.WEIGHTS[j] * singular(a + (b - a) * GapScope.NODES[j]) for j in 1:GapScope.POINTS)
        exact = 6 * (sqrt(b - m1) - sqrt(a - m1)) / (b - a)
        amplitude = 3 / sqrt((last - first) / 2)
        pinch = GapScope.Pinch(place(first, last), amplitude, 0.0)
        @test GapScope.foreseen_error([pinch], first, last, a, b) ≈ (b - a) * abs(rule - exact) rtol = 1e-6 atol = 1e-14
    end
end

@testset "panels of large blocks are divided at once towards their pinches" begin
    _, bonds, z = dense_states()[2]
    solver = GapScope.DensePath(bonds, collect(1:4), false, 1:4)
    integral, halved = (GapScope.RowIntegral(solver, bonds, z, 8) for _ in 1:2)
    before = copy(integral.panels)
    worst = argmax(GapScope.error_of.(before))
    chosen = eachindex(before) .== worst
    share = GapScope.error_of(before[worst]) / 1000
    GapScope.divide!(integral, chosen, share)
    within(p) = before[worst].first <= p.first && p.last <= before[worst].last
    parts = filter(within, integral.panels)
    @test length(parts) > 2
    @test sum(GapScope.width, parts) ≈ GapScope.width(before[worst])
    @test isempty(GapScope.uncovered(integral))
    @test maximum(GapScope.error_of, parts) < GapScope.error_of(before[worst]) / 20
    # One by one it takes rows between.
    reached = maximum(GapScope.error_of, parts)
    while any(p -> within(p) && GapScope.error_of(p) > reached, halved.panels)
        GapScope.halve!(halved, [within(p) && GapScope.error_of(p) > reached for p in halved.panels])
    end
    @test integral.rows < halved.rows
end

@testset "an impurity without strength changes nothing, and that is soon known" begin
    bonds = bdg(electrons(), triplet(d = SX))
    map, reached = converged(bonds, impurity(zeros(ComplexF64, 4, 4)), 0.05im, 8, 0.01, 10^6)
    @test reached
    @test iszero(map.trace)
    @test map.error == map.error_away == 0
end

@testset "a map that is not finite ends the search" begin
    v = impurity(fill(complex(NaN), 4, 4))
    _, reached = converged(bdg(electrons(), singlet()), v, 0.05im, 8, 0.01, 10^6)
    @test !reached
end

@testset "a spin without a gap, and blocks of holes, converge too: $name" for (name, bonds, block) in [
    ("one spin", bdg(electrons(), Dict(r => ComplexF64[1 0; 0 0] * d * ComplexF64[1 0; 0 0] for (r, d) in triplet(d = SX))), [2, 4]),
    ("normal", bdg(electrons(), Dict((0, 0) => zeros(ComplexF64, 2, 2))), [1, 4]),
    ("normal, spins mixed", bdg(electrons(rashba = 0.3), Dict((0, 0) => zeros(ComplexF64, 2, 2))), [3, 4]),
]
    @test block in GapScope.connected_blocks(bonds)
    map, reached, trace, dos, g0 = converged_and_grid(bonds, 0.3 + 0.05im, 0.002)
    error, away = GapScope.relative_change(trace, map.trace, IMPURITY)
    @test reached
    @test error <= map.error + 1e-6
    @test away <= map.error_away + 1e-6
    @test map.g0 ≈ g0 rtol = 0.002
end

@testset "a map that runs out of rows says so" begin
    bonds = bdg(electrons(), triplet(d = SX))
    map, reached, trace, _, _ = converged_and_grid(bonds, 0.01im, 1e-4; n = 8192, budget = 1)
    error, _ = GapScope.relative_change(trace, map.trace, IMPURITY)
    @test !reached
    @test error < map.error
end

@testset "with particle-hole symmetry one Green's function serves w and -w: $name" for (name, bonds, _) in states()
    z, window = 0.4 + 0.05im, 12
    maps, _, reached = GapScope.converged_maps(bonds, IMPURITY, z, window, 0.002, 10^6; both = true)
    @test reached
    for (map, w) in zip(maps, (z, -conj(z)))
        trace, dos, g0 = on_grid(bonds, w; window = window)
        error, away = GapScope.relative_change(trace, map.trace, IMPURITY)
        @test max(error, away) <= 0.002
        @test map.dos ≈ dos rtol = 0.002
        @test map.g0 ≈ g0 rtol = 0.002
    end
end

# What a whole map's estimate says of damage: of a lost panel, and of four rows where there should be sixteen.
function damaged_map(bonds, z, accuracy, damage!; window = 32)
    half, known = window ÷ 2, GapScope.families(bonds)
    integrals = [GapScope.RowIntegral(GapScope.block_solver(bonds, f.block, z, false), bonds, z, half) for f in known]
    for integral in integrals
        GapScope.refine!(integral, accuracy, 10^6)
        damage!(integral)
        GapScope.measure!(integral)
    end
    return GapScope.present_maps(bonds, known, integrals, IMPURITY, window, false)[1]
end

worst_panel!(integral) = deleteat!(integral.panels, argmax([p.square * GapScope.width(p)^2 for p in integral.panels]))

function quarter!(integral)
    ends = [p.first for p in integral.panels[1:4:end]]
    pieces = [(a, b, nothing) for (a, b) in zip(ends, [ends[2:end]; 1.0])]
    integral.panels = GapScope.evaluate(integral, pieces, 8)
    return integral
end

# Where nothing is wrong, sixteen rows of a pair may be much better than they can show; of a large block it is measured.
@testset "the estimate follows the error: $name at $accuracy" for
    (name, bonds, w) in states(), accuracy in (0.05, 0.005, 0.0005)

    z, window = w + 0.002im, 32
    exact, _ = converged(bonds, IMPURITY, z, window, 1e-6, 10^6)
    for damage! in (identity, worst_panel!, quarter!)
        map = damaged_map(bonds, z, accuracy, damage!)
        error, away = GapScope.relative_change(exact.trace, map.trace, IMPURITY)
        @test error / 2 <= map.error <= 20error + accuracy
        @test away / 2 <= map.error_away <= 20away + accuracy
        name == "dense" && damage! === identity && @test error <= map.error <= 10error + 1e-6
    end
end
