@testset "transforms equal the plain sums" begin
    n, count = 24, 3
    x = GapScope.FFTW.aligned(Float64, n, count)
    x .= sin.(1:n) .* (1:count)'
    spectrum = GapScope.FFTW.aligned(ComplexF64, n ÷ 2 + 1, count)
    GapScope.FFTW.transform!(spectrum, x, GapScope.FFTW.real_rows(n, count))
    direct = [sum(x[j + 1, c] * cis(-2pi * j * k / n) for j in 0:(n - 1)) for k in 0:(n ÷ 2), c in 1:count]
    @test spectrum ≈ direct atol = 1e-12

    y = GapScope.FFTW.aligned(ComplexF64, n, count)
    y .= cis.(1:n) .* (1:count)'
    before = copy(y)
    GapScope.FFTW.transform!(y, y, GapScope.FFTW.complex_columns(n, count))
    direct = [sum(before[j + 1, c] * cis(2pi * j * k / n) for j in 0:(n - 1)) for k in 0:(n - 1), c in 1:count]
    @test y ≈ direct atol = 1e-12
end

@testset "workspaces lie on 64-byte boundaries" begin
    for n in (1, 7, 100, 4096)
        @test UInt(pointer(GapScope.FFTW.aligned(ComplexF64, n))) % 64 == 0
    end
end

@testset "nothing of a library is kept when it is unloaded" begin
    GapScope.FFTW.real_rows(24, 1)
    path = GapScope.FFTW.Libdl.dlpath(GapScope.FFTW.library[])
    GapScope.FFTW.unload()
    @test isempty(GapScope.FFTW.plans)
    @test_throws ErrorException GapScope.FFTW.real_rows(24, 1)
    GapScope.FFTW.load(path)
    @test GapScope.FFTW.real_rows(24, 1).plan != C_NULL
end
