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

# Two orbitals whose names are exchanged in the block of the other spin: order [1, 2] for one, [2, 1] for the other.
function exchanged(asymmetry = 0.0)
    terms = Dict{Tuple{Int,Int},Matrix{ComplexF64}}()
    at(r) = get!(() -> zeros(ComplexF64, 8, 8), terms, r)
    h = Dict((0, 0) => ComplexF64[0.3 0.2im; -0.2im -0.4], (1, 0) => ComplexF64[1 0.1; 0.3im 0.5], (-1, 0) => ComplexF64[1 -0.3im; 0.1 0.5])
    for (r, m) in h
        turned = conj(m)[[2, 1], [2, 1]]
        r == (0, 0) && (turned[1, 1] += asymmetry)
        at(r)[1:2, 1:2] .+= m
        at(r)[3:4, 3:4] .+= turned
        at(opposite(r))[5:6, 5:6] .-= transpose(m)
        at(opposite(r))[7:8, 7:8] .-= transpose(turned)
    end
    gap = [0.5, 0.7]
    for (e, other) in ((1, 4), (2, 3))
        at((0, 0))[e, other + 4] = at((0, 0))[other + 4, e] = gap[e]
        at((0, 0))[other, e + 4] = at((0, 0))[e + 4, other] = -gap[e]
    end
    return bonds_from(terms)
end

@testset "a block whose rows come in another order follows, too" begin
    bonds = exchanged()
    found = GapScope.families(bonds)
    @test length(found) == 1
    @test found[1].twins[1].block != sort(found[1].twins[1].block)
    window = GapScope.grid_window(bonds, 0.2 + 0.3im, GapScope.Grid(8), 2, true)
    h(m1, m2) = GapScope.hamiltonian!(zeros(ComplexF64, 8, 8), bonds, m1, m2)
    for r in ((0, 0), (1, 0), (-2, 1))
        direct = sum(
            cis(2pi * (j1 * r[1] + j2 * r[2]) / 8) .* inv((0.2 + 0.3im) * I - h(j1 / 8, j2 / 8)) for j1 in 0:7, j2 in 0:7
        ) ./ 64
        @test all(abs(g[3 + r[1], 3 + r[2]] - direct[i, j]) < 1e-12 for ((i, j), g) in window.elements)
    end
    @test length(GapScope.families(exchanged(1e-6))) == 2
end

@testset "only the elements that an impurity asks for are transformed" begin
    bonds, z = bdg(electrons(rashba = 0.3), singlet()), 0.2 + 0.3im
    all_of, few = (GapScope.grid_window(bonds, z, GapScope.Grid(12), 3, false; wanted = w) for w in (1:4, [2, 4]))
    @test Set(keys(few.elements)) == Set([(1, 2), (2, 1), (2, 2), (1, 4), (4, 1), (2, 3), (3, 2), (2, 4), (4, 2)])
    @test all(few.elements[ij] == all_of.elements[ij] for ij in keys(few.elements))
    @test few.g0 ≈ all_of.g0 atol = 1e-13
end
