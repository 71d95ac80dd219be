# Half-infinite crystals: bonds with a third number, the layers that they lead down.

layered(terms) = (collect(keys(terms)), [terms[r] for r in keys(terms)])

function surface_bonds(terms)
    vectors, matrices = layered(terms)
    return GapScope.Bonds(hcat(collect.(vectors)...), cat(matrices...; dims = 3))
end

"""One band on the triangular lattice, stacked with `hops` to the layers below, and a singlet gap."""
function stacked(hops; gap = singlet(), rashba = 0.0)
    flat = bdg(electrons(rashba = rashba), gap)
    terms = Dict((r[1], r[2], 0) => flat.matrices[:, :, n] for (n, r) in enumerate(eachcol(flat.vectors)))
    for (l, t) in enumerate(hops), r in ((0, 0), (1, 0))
        h = [t*S0 zero(S0); zero(S0) -conj(t * S0)] .* (r == (0, 0) ? 1.0 : 0.3im)
        terms[(r..., l)] = h
        terms[(-r[1], -r[2], -l)] = h'
    end
    return surface_bonds(terms)
end

# The outermost layer of a slab of so many layers, inverted as a whole.
function slab_green(bonds, z, m1, m2, layers)
    d = size(bonds.matrices, 1)
    h = zeros(ComplexF64, layers * d, layers * d)
    for n in axes(bonds.vectors, 2), a in 0:(layers - 1)
        b = a + bonds.vectors[3, n]
        0 <= b < layers || continue
        phase = cis(2pi * (m1 * bonds.vectors[1, n] + m2 * bonds.vectors[2, n]))
        h[(a * d) .+ (1:d), (b * d) .+ (1:d)] .+= phase .* bonds.matrices[:, :, n]
    end
    return inv(z * I - h)[1:d, 1:d]
end

function surface_green(bonds, z, m1, m2)
    d = GapScope.dimension(bonds)
    solver = GapScope.DensePath(bonds, collect(1:d), true, 1:d)
    phases = GapScope.on_row!(GapScope.RowPhases(bonds), m1)
    fields = zeros(1, GapScope.field_count(solver))
    GapScope.row!(fields, Float64[], solver, GapScope.workspace(solver), z, phases, GapScope.Tables(1, m2, solver.degree))
    return reshape(complex.(fields[1, 1:2:end], fields[1, 2:2:end]), d, d)
end

@testset "the surface of a half-infinite crystal is that of a thick slab" begin
    # A wave is back from the slab's other side after 2 x 60 layers, damped to below 1e-12.
    z = 0.3 + 0.5im
    for hops in ([0.7], [0.7 + 0.2im, 0.4], [0.5, 0.0, 0.3]), (m1, m2) in [(0.13, -0.27), (0.4, 0.05)]
        bonds = stacked(hops; rashba = 0.15)
        @test surface_green(bonds, z, m1, m2) ≈ slab_green(bonds, z, m1, m2, 60) atol = 1e-12
    end
end

@testset "what has no layers below has no surface, and rows of any length keep their points" begin
    flat = bdg(electrons(rashba = 0.1), singlet())
    padded = GapScope.Bonds([flat.vectors; zeros(Int, 1, size(flat.vectors, 2))], flat.matrices)
    @test GapScope.layer_reach(padded) == 0
    bonds, z = stacked([0.7]), 0.3 + 0.5im
    for n in (1, 5, 6) # no multiples of the samples that are taken at a time
        green = GapScope.grid_window(bonds, z, GapScope.Grid(n), 0, true)
        right = sum(slab_green(bonds, z, a / n, b / n, 60) for a in 0:(n - 1), b in 0:(n - 1)) / n^2
        @test green.g0 ≈ right atol = 1e-12
        dos, own = zeros(1), zeros(2, 1)
        GapScope.grid_dos!(dos, own, bonds, [real(z)], imag(z), n)
        @test dos[1] ≈ -imag(right[1, 1] + right[2, 2]) / pi atol = 1e-12
    end
    a = zeros(1, 2)
    GapScope.spectral_function!(a, bonds, [0.1 0.2; 0.3 -0.2], [real(z)], imag(z))
    right = [-imag(sum(slab_green(bonds, z, k..., 60)[e, e] for e in 1:2)) / pi for k in ((0.1, 0.3), (0.2, -0.2))]
    @test vec(a) ≈ right atol = 1e-12
end

@testset "decimation ends, or says that it has not" begin
    chain = surface_bonds(Dict((0, 0, 0) => zeros(ComplexF64, 2, 2), (0, 0, 1) => SZ, (0, 0, -1) => SZ))
    for delta in (1e-2, 1e-6, 1e-10)
        z = complex(0.4, delta)
        @test surface_green(chain, z, 0.0, 0.0)[1, 1] ≈ (z - im * sqrt(4 - z^2)) / 2 rtol = 1e-9
    end
    @test_throws ErrorException surface_green(chain, complex(0.4, 1e-30), 0.0, 0.0)
end

@testset "rows of a surface to an accuracy are its averages along m2" begin
    bonds, z, half = stacked([0.7]; rashba = 0.15), 0.3 + 0.1im, 4
    solver = GapScope.DensePath(bonds, collect(1:4), true, 1:4)
    rows = GapScope.rows_of(solver, bonds, half)
    values = zeros(ComplexF64, half + 1, GapScope.field_count(solver))
    error = GapScope.exact_row!(values, Float64[], rows, z, 0.21, nothing)
    n = 2048
    right = sum(surface_green(bonds, z, 0.21, j / n) .* cis(2pi * j * 3 / n) for j in 0:(n - 1)) / n
    left = sum(surface_green(bonds, z, 0.21, j / n) .* cis(-2pi * j * 3 / n) for j in 0:(n - 1)) / n
    for (e, (i, j)) in enumerate(GapScope.field_elements(solver))
        @test values[4, 2e - 1] + im * values[4, 2e] ≈ right[i, j] atol = 1e-6
        @test conj(values[4, 2e - 1]) + im * conj(values[4, 2e]) ≈ left[i, j] atol = 1e-6
    end
    @test error < 1e-5
end

@testset "mirrors and inversion of a half-infinite crystal turn its surface's rows" begin
    hop(n) = ComplexF64[sin(3.1n * i + i * j^2) / 3 for i in 1:4, j in 1:4] # real, and not symmetric
    terms = Dict((0, 0, 0) => hop(1) + hop(1)')
    for (n, r) in enumerate([(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1)])
        terms[r] = hop(n)
        terms[.-r] = hop(n)'
    end
    bonds, z = surface_bonds(terms), 0.3 + 0.5im
    mirror = GapScope.mirror_of(bonds, collect(1:4))
    @test mirror isa GapScope.Mirror && mirror.reversed && mirror.turn == -1
    turned = mirror.phases .* transpose(surface_green(bonds, z, 0.13, -0.27)) .* mirror.phases'
    @test surface_green(bonds, z, -0.13, 0.27) ≈ turned atol = 1e-12
end
