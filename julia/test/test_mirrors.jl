# Half of the rows where a mirror turns m1, and G on the window in slices.

# Four bands that mix, with symmetries of their own in a gauge that hides them: the matrices at R and its opposite.
function mirrored_bonds(name)
    entry(i, j, n) = 0.5 * complex(cos(2.3i + 1.1j^2 + 0.7n), sin(1.9i * j + 0.4i + n))
    matrix(n) = [entry(i, j, n) for i in 1:4, j in 1:4]
    hermitian(n) = matrix(n) .+ matrix(n)'
    symmetric(n) = matrix(n) .+ transpose(matrix(n))
    a, b, c = if name == "inversion"
        hermitian(1), hermitian(2), hermitian(3)
    elseif name == "real hoppings"
        real.(hermitian(1)) .+ 0im, real.(matrix(2)) .+ 0im, real.(matrix(3)) .+ 0im
    elseif name == "mirror line"
        hermitian(1), hermitian(2), matrix(3)
    elseif name == "mirror line with time reversal"
        real.(hermitian(1)) .+ 0im, real.(matrix(2)) .+ 0im, symmetric(3)
    else
        hermitian(1), matrix(2), matrix(3)
    end
    u = Matrix(Diagonal(cis.([0.3, 1.2, -0.8, 2.0])))
    terms = Dict((0, 0) => u * a * u', (1, 0) => u * b * u', (0, 1) => u * c * u')
    for r in ((1, 0), (0, 1))
        terms[opposite(r)] = Matrix(terms[r]')
    end
    return bonds_from(terms)
end

kinds() = [
    ("inversion", (-1, false)), ("real hoppings", (-1, true)), ("mirror line", (1, false)),
    ("mirror line with time reversal", (1, true)), ("none", nothing),
]

@testset "half of the rows says all: $name" for (name, kind) in kinds()
    bonds, z, half = mirrored_bonds(name), 0.3 + 0.5im, 8
    known = GapScope.families(bonds)
    mirror = GapScope.mirror_of(bonds, known[1].block)
    @test (mirror === nothing ? nothing : (mirror.turn, mirror.reversed)) == kind
    solver = GapScope.block_solver(bonds, known[1].block, z, true)
    integral = GapScope.RowIntegral(solver, bonds, z, half)
    @test integral.panels[end].last == (kind === nothing ? 1 : 0.5)
    @test isempty(GapScope.uncovered(integral))
    green, _ = GapScope.window_greens(bonds, known, [integral])
    places = [(0, 0), (3, -2), (-3, 2), (8, 1), (-8, -1)]
    at, _ = GapScope.place_greens(bonds, known, [integral], places)
    for r in places
        exact = green_at(bonds, z, 64, r)
        found = [green.elements[i, j][half + 1 + r[1], half + 1 + r[2]] for i in 1:4, j in 1:4]
        @test found ≈ exact atol = 2e-6
        @test at.matrices[r] ≈ found atol = 1e-13
    end
end

@testset "a lost panel of half a zone leaves a gap" begin
    bonds, z = mirrored_bonds("inversion"), 0.3 + 0.1im
    integral = GapScope.RowIntegral(GapScope.block_solver(bonds, collect(1:4), z, true), bonds, z, 8)
    for n in (1, length(integral.panels), 3)
        lost = GapScope.RowIntegral(integral.solver, bonds, z, 8)
        gone = lost.panels[n]
        deleteat!(lost.panels, n)
        gap, = GapScope.uncovered(lost)
        @test gap.last - gap.first ≈ gone.last - gone.first
    end
end

@testset "slices make one map, however many there are" begin
    bonds, z, window = mirrored_bonds("mirror line"), 0.3 + 0.05im, 16
    known = GapScope.families(bonds)
    s = GapScope.Scatterers([(0, 0), (2, -1)], cat(POTENTIAL, 0.5POTENTIAL; dims = 3))
    for both in (false, true)
        integrals = [GapScope.RowIntegral(GapScope.block_solver(bonds, f.block, z, true), bonds, z, 16) for f in known]
        whole = GapScope.present_maps(bonds, known, integrals, s, window, both)
        parts = GapScope.present_maps(bonds, known, integrals, s, window, both; bytes = 0)
        @test length(GapScope.slices(bonds, known, integrals, both, 0, 17)) == (both ? 4 : 2)
        @test length(GapScope.slices(bonds, known, integrals, both, GapScope.SLICE_BYTES, 17)) == 1
        green, _ = GapScope.window_greens(bonds, known, integrals)
        direct = GapScope.electron_trace!(zeros(ComplexF64, window, window, 1), green, s, GapScope.tmatrix(green, s))
        @test whole[1].trace ≈ direct rtol = 1e-12
        for (a, b) in zip(whole, parts)
            @test a.trace ≈ b.trace rtol = 1e-12
            @test a.error ≈ b.error rtol = 1e-6
            @test a.g0 == b.g0
        end
    end
end
