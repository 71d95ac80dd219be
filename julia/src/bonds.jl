"""
    Bonds(vectors, matrices)

Bogoliubov-de Gennes Hamiltonian H(k) = sum_R H_R exp(2 pi i (m1 R1 + m2 R2)); `vectors` is 2 x n,
`matrices` d x d x n in meV. Rows 1 .. d/2 are electrons, d/2+1 .. d holes.

`vectors` of a half-infinite crystal is 3 x n, and H_R leads from a layer of cells to the one R3 below it.
"""
struct Bonds
    vectors::Matrix{Int}
    matrices::Array{ComplexF64,3}
end

dimension(bonds::Bonds) = size(bonds.matrices, 1)
electrons(bonds::Bonds) = dimension(bonds) ÷ 2

"""
    harmonic_range(bonds)

Largest |R2|: H along a row of fixed m1 is a trigonometric polynomial of this degree in m2.
"""
harmonic_range(bonds::Bonds) = maximum(abs, view(bonds.vectors, 2, :))

"""
    layer_reach(bonds)

Number of layers of cells that bonds reach down; 0 of a crystal in the plane.
"""
layer_reach(bonds::Bonds) = maximum(n -> abs(layer(bonds, n)), axes(bonds.vectors, 2))

# R3 of a bond.
layer(bonds::Bonds, n::Integer) = size(bonds.vectors, 1) == 3 ? bonds.vectors[3, n] : 0

"""
    Grid(n)

Uniform grid m = j/n, j = 0 .. n-1 (Gamma on it), with the n-th roots of unity.
"""
struct Grid
    n::Int
    roots::Vector{ComplexF64}
end
Grid(n::Integer) = Grid(n, [cis(2pi * j / n) for j in 0:(n - 1)])

"""
    root(grid, j)

exp(2 pi i j / n) for any integer j.
"""
root(grid::Grid, j::Integer) = @inbounds grid.roots[mod(j, grid.n) + 1]

"""
    RowPhases(bonds)

exp(2 pi i m1 R1) for all R1 of the bonds on one row m1; set by `on_row!`.
"""
struct RowPhases
    reach::Int
    values::Vector{ComplexF64}
end

function RowPhases(bonds::Bonds)
    reach = maximum(abs, view(bonds.vectors, 1, :))
    return RowPhases(reach, ones(ComplexF64, 2reach + 1))
end

"""
    on_row!(phases, m1)
    on_row!(phases, grid, j1)

Move to the row m1, or to m1 = j1/N of a grid.
"""
function on_row!(phases::RowPhases, m1::Real)
    for r in (-phases.reach):phases.reach
        phases.values[r + phases.reach + 1] = cis(2pi * rem(r * m1, 1, RoundNearest))
    end
    return phases
end

function on_row!(phases::RowPhases, grid::Grid, j1::Integer)
    for r in (-phases.reach):phases.reach
        phases.values[r + phases.reach + 1] = root(grid, j1 * r)
    end
    return phases
end

"""
    hamiltonian!(h, bonds, m1, m2)

H(k) at one reduced momentum, of a crystal in the plane.
"""
function hamiltonian!(h::AbstractMatrix, bonds::Bonds, m1::Real, m2::Real)
    fill!(h, 0)
    for n in axes(bonds.vectors, 2)
        phase = cis(2pi * (m1 * bonds.vectors[1, n] + m2 * bonds.vectors[2, n]))
        for j in axes(h, 2), i in axes(h, 1)
            h[i, j] += phase * bonds.matrices[i, j, n]
        end
    end
    return h
end
