"""
    GapScope

Bogoliubov-de Gennes Green's functions and T-matrix maps of the local density of states.

The kernel receives bonds, numbers and output buffers, never a material's name: it computes
H(k) = sum_R H_R exp(2 pi i (m1 R1 + m2 R2)), G(k, z) = [z - H(k)]^-1 with z = w + i delta, its window
G(r) = (1/N^2) sum_k exp(i k.r) G(k), and the T-matrix response to impurities; of a half-infinite crystal G is that of
its outermost layer of cells (surface.jl).
Energies in meV; the Nambu basis holds electrons first, then as many holes.
"""
module GapScope

using LinearAlgebra: I, LAPACK, diag, eigvals!

include("threads.jl")
include("fftw.jl")
include("bonds.jl")
include("blocks.jl")
include("series.jl")
include("pair.jl")
include("lanes.jl")
include("surface.jl")
include("dense.jl")
include("window.jl")
include("grid.jl")
include("scatterers.jl")
include("maps.jl")
include("roots.jl")
include("poles.jl")
include("near_poles.jl")
include("exponentials.jl")
include("dense_rows.jl")
include("mirrors.jl")
include("rules.jl")
include("pinches.jl")
include("quadrature.jl")
include("measured.jl")
include("spread.jl")
include("slices.jl")
include("converged.jl")
include("green.jl")
include("states.jl")
include("spectrum.jl")
include("host.jl")
include("precompile.jl")

end
