# Run with: julia --project=. julia/test/runtests.jl   (GAPSCOPE_LIBFFTW3 = path of libfftw3)
using GapScope, LinearAlgebra, Test

GapScope.FFTW.load(get(ENV, "GAPSCOPE_LIBFFTW3", "libfftw3.so.3"))

include("models.jl")

@testset "GapScope" begin
    include("test_fftw.jl")
    include("test_blocks.jl")
    include("test_solvers.jl")
    include("test_grid.jl")
    include("test_surface.jl")
    include("test_converged.jl")
    include("test_measured.jl")
    include("test_mirrors.jl")
    include("test_glance.jl")
    include("test_threads.jl")
end
