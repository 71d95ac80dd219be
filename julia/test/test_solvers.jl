solver_of(bonds, z; whole = false) = GapScope.block_solver(bonds, GapScope.connected_blocks(bonds)[1], z, whole)

@testset "the cheapest solver that holds is taken" begin
    @test solver_of(bdg(electrons(), singlet()), 0.1im) isa GapScope.RealPair
    @test solver_of(bdg(electrons(), singlet(0.4im)), 0.1im) isa GapScope.RealPair
    @test solver_of(bdg(electrons(), singlet()), 0.2 + 0.1im) isa GapScope.ComplexPair{1,true,false}
    @test solver_of(bdg(electrons(), triplet(d = SX)), 0.1im) isa GapScope.ComplexPair{1,true,false}
    @test solver_of(bdg(electrons(), merge(triplet(0.3im), singlet())), 0.1im; whole = true) isa GapScope.ComplexPair{1,false,true}
    @test solver_of(bdg(electrons(rashba = 0.1), singlet()), 0.1im) isa GapScope.DensePath
end

@testset "every solver inverts z - H(k) on a row" begin
    n, j1 = 16, 3
    tables = GapScope.Tables(GapScope.Grid(n), 1)
    cases = [
        (bdg(electrons(), singlet(0.4 * cis(0.7))), 0.2im),
        (bdg(electrons(), singlet()), 0.3 + 0.2im),
        (bdg(electrons(), triplet(d = SX)), 0.2im),
        (bdg(electrons(), merge(triplet(0.3im), singlet())), -0.3 + 0.2im),
        (bdg(electrons(rashba = 0.1), singlet()), 0.3 + 0.2im),
    ]
    for (bonds, z) in cases, whole in (false, true)
        block = GapScope.connected_blocks(bonds)[1]
        solver = GapScope.block_solver(bonds, block, z, whole)
        fields = zeros(n, GapScope.field_count(solver))
        sums = zeros(GapScope.local_count(solver))
        phases = GapScope.on_row!(GapScope.RowPhases(bonds), j1 / n)
        GapScope.row!(fields, sums, solver, GapScope.workspace(solver), z, phases, tables)
        for ((i, j), parts) in GapScope.elements(solver, z), j2 in 0:(n - 1)
            g = green(bonds, z, j1 / n, j2 / n)
            @test sum(c * fields[j2 + 1, f] for (f, c) in parts) ≈ g[block[i], block[j]] atol = 1e-12
        end
        total = sum(green(bonds, z, j1 / n, j2 / n) for j2 in 0:(n - 1))
        whole && @test length(GapScope.elements(solver, z)) == length(block)^2
        for ((i, j), value) in GapScope.local_elements(solver, sums)
            @test value ≈ total[block[i], block[j]] atol = 1e-11
        end
    end
end

@testset "Gauss-Jordan inverts, with pivots where the diagonal vanishes" begin
    a = ComplexF64[0 2 1; 1 0 3im; 4 1 0]
    @test GapScope.invert!(copy(a), zeros(Int, 3)) ≈ inv(a) atol = 1e-14
end
