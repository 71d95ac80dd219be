@testset "the T-matrix map equals the torus with the impurity in it" begin
    # Dense inversion of z - H on an n x n torus with V on the site r = 0: no T-matrix, no Fourier sum.
    n, z = 6, 0.2 + 0.4im
    moments = Dict("scalar" => 1.5S0, "in-plane moment" => 0.7SX + 0.4SY, "mixed" => -0.8S0 + 0.5SZ + 0.3SX)
    for gap in (singlet(), merge(singlet(0.3), triplet(0.2))), (name, m) in moments
        bonds = bdg(electrons(), gap)
        v = zeros(ComplexF64, 4, 4)
        v[1:2, 1:2], v[3:4, 3:4] = m, -transpose(m)
        site(r) = 4 * (mod(r[1], n) * n + mod(r[2], n))
        h = zeros(ComplexF64, 4n^2, 4n^2)
        for r1 in 0:(n - 1), r2 in 0:(n - 1), b in axes(bonds.vectors, 2)
            # H(k) = sum_R H_R exp(i k.R) acts as (H psi)(r) = sum_R H_R psi(r + R)
            row, col = site((r1, r2)), site((r1 + bonds.vectors[1, b], r2 + bonds.vectors[2, b]))
            h[row .+ (1:4), col .+ (1:4)] .+= bonds.matrices[:, :, b]
        end
        clean = inv(z * I - h)
        h[1:4, 1:4] .+= v
        dirty = inv(z * I - h)

        trace, dos, g0 = zeros(ComplexF64, 4, 4, 1), zeros(1), zeros(ComplexF64, 4, 4, 1)
        impurity = GapScope.Scatterers([(0, 0)], reshape(v, 4, 4, 1))
        GapScope.grid_maps!(trace, dos, g0, bonds, impurity, [real(z)], imag(z), n)
        for r1 in -2:1, r2 in -2:1
            s = site((r1, r2))
            change = sum((dirty - clean)[s + e, s + e] for e in 1:2)
            @test trace[r2 + 3, r1 + 3, 1] ≈ change atol = 1e-12
        end
        @test g0[:, :, 1] ≈ clean[1:4, 1:4] atol = 1e-12
    end
end

@testset "the density of states is that of g0, whatever the solver" begin
    for (h, gap, w) in [(electrons(), singlet(), 0.0), (electrons(), triplet(d = SX), 0.3), (electrons(rashba = 0.2), singlet(), 0.3)]
        bonds, dos, own = bdg(h, gap), zeros(1), zeros(2, 1)
        GapScope.grid_dos!(dos, own, bonds, [w], 0.2, 10)
        right = -imag([green_at(bonds, w + 0.2im, 10, (0, 0))[e, e] for e in 1:2]) ./ pi
        @test dos[1] ≈ sum(right) atol = 1e-12
        @test own[:, 1] ≈ right atol = 1e-12
    end
end

@testset "the spectral function is the imaginary part of the electron trace" begin
    bonds, a = bdg(electrons(rashba = 0.2), triplet()), zeros(2, 3)
    momenta = [0.1 0.2 -0.4; 0.3 -0.2 0.05]
    GapScope.spectral_function!(a, bonds, momenta, [0.0, 0.5], 0.1)
    for k in 1:3, (e, w) in enumerate([0.0, 0.5])
        g = green(bonds, w + 0.1im, momenta[1, k], momenta[2, k])
        @test a[e, k] ≈ -imag(g[1, 1] + g[2, 2]) / pi atol = 1e-12
    end
end
