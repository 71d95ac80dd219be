blocks(electrons, gap) = GapScope.connected_blocks(bdg(electrons, gap))

@testset "conserved spin splits the problem by the kind of pairing" begin
    @test blocks(electrons(), singlet()) == [[1, 4], [2, 3]]
    @test blocks(electrons(), triplet()) == [[1, 4], [2, 3]]
    @test blocks(electrons(), triplet(d = SX)) == [[1, 3], [2, 4]]
    @test blocks(electrons(rashba = 0.1), singlet()) == [[1, 2, 3, 4]]
end

@testset "time reversal leaves one block to compute" begin
    for gap in (singlet(), triplet(), triplet(d = SX))
        found = GapScope.families(bdg(electrons(), gap))
        @test length(found) == 1
        @test length(found[1].twins) == 1
        @test found[1].twins[1].reversed
    end
end

@testset "a gap that breaks time reversal keeps both blocks" begin
    gap = merge(singlet(), triplet(0.3im))
    found = GapScope.families(bdg(electrons(), gap))
    @test length(found) == 2
    @test all(family -> isempty(family.twins), found)
end

@testset "a slightly different twin is no twin" begin
    h = electrons()
    h[(1, 0)] = h[(1, 0)] + 1e-9 * SZ
    h[(-1, 0)] = h[(-1, 0)] + 1e-9 * SZ
    @test length(GapScope.families(bdg(h, singlet()))) == 2
end

@testset "the twin's Green's function is the other block's own" begin
    n, z, half = 12, 0.2 + 0.3im, 3
    for gap in (singlet(), triplet(), triplet(d = SX)), whole in (false, true)
        bonds = bdg(electrons(), gap)
        window = GapScope.grid_window(bonds, z, GapScope.Grid(n), half, whole)
        @test length(window.elements) == (whole ? 8 : 6)
        for r in [(0, 0), (1, 0), (-2, 3), (3, -3)]
            direct = green_at(bonds, z, n, r)
            for ((i, j), g) in window.elements
                @test g[half + 1 + r[1], half + 1 + r[2]] ≈ direct[i, j] atol = 1e-12
            end
        end
        @test window.g0 ≈ green_at(bonds, z, n, (0, 0)) atol = 1e-12
    end
end
