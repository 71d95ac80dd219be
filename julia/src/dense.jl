"""
    DensePath

Blocks of any size: H(k) from its harmonics along a row, then a Gauss-Jordan inverse of z - H(k), or the decimation of
a half-infinite crystal (surface.jl).
"""
struct DensePath
    block::Vector{Int}
    transformed::BitMatrix      # which elements (i, j) are wanted on the window; the others at r = 0 only
    elements::Vector{Element}   # column-major over the block, in the plane, to the next layer, to the one after it ...
    degree::Int
    reach::Int                  # layers that bonds reach down; 0 in the plane
end

"""
    DensePath(bonds, block, whole, wanted)

On the window G_ij is kept where i or j is among the `wanted` components of the problem and, unless the `whole` is
asked for, i or j is an electron.
"""
function DensePath(bonds::Bonds, block::Vector{Int}, whole::Bool, wanted)
    reach = layer_reach(bonds)
    all_elements = [Element(bonds, i, j, down) for down in 0:reach for j in block for i in block]
    is_wanted = [i in wanted for i in block]
    is_electron = [whole || i <= electrons(bonds) for i in block]
    either(flags, i, j) = flags[i] || flags[j]
    d = length(block)
    kept = BitMatrix([either(is_wanted, i, j) && either(is_electron, i, j) for i in 1:d, j in 1:d])
    # Where nothing is wanted the first row is kept: what converges is judged by what is transformed.
    any(kept) || (kept[1, :] .= kept[:, 1] .= true)
    return DensePath(block, kept, all_elements, harmonic_range(bonds), reach)
end

struct DenseWorkspace
    harmonics::Matrix{ComplexF64}  # 2 degree + 1, elements
    matrix::Matrix{ComplexF64}
    pivots::Vector{Int}
    lanes::Union{LaneScratch,SurfaceScratch}
end

block_size(solver::DensePath) = length(solver.block)

function workspace(solver::DensePath)
    d = block_size(solver)
    harmonics = zeros(ComplexF64, 2solver.degree + 1, length(solver.elements))
    return DenseWorkspace(harmonics, zeros(ComplexF64, d, d), zeros(Int, d), lane_scratch(solver))
end

# Room for LANES samples.
lane_scratch(solver::DensePath) =
    solver.reach == 0 ? LaneScratch(block_size(solver)) : SurfaceScratch(block_size(solver), solver.reach, solver.degree)

pairs_of(flags) = [(i, j) for j in axes(flags, 2) for i in axes(flags, 1) if flags[i, j]]
field_elements(solver::DensePath) = pairs_of(solver.transformed)
other_elements(solver::DensePath) = pairs_of(.!solver.transformed)

field_count(solver::DensePath) = 2length(field_elements(solver))
local_count(solver::DensePath) = 2length(other_elements(solver))

function row!(fields, sums, solver::DensePath, w::DenseWorkspace, z, phases, tables)
    for (n, element) in enumerate(solver.elements)
        harmonics!(view(w.harmonics, :, n), element, phases)
    end
    fill!(sums, 0)
    points!(fields, sums, solver, w, w.lanes, z, tables.phases)
    return nothing
end

function points!(fields, sums, solver::DensePath, w::DenseWorkspace, ::LaneScratch, z, phases)
    g = w.matrix
    for j2 in axes(fields, 1)
        shifted_hamiltonian!(g, w.harmonics, z, view(phases, :, j2))
        invert!(g, w.pivots)
        keep!(fields, sums, solver, g, j2)
    end
end

# LANES points at a time; where a row ends, its last point stands for those that are missing.
function points!(fields, sums, solver::DensePath, w::DenseWorkspace, s::SurfaceScratch, z, phases)
    count = size(fields, 1)
    for first in 1:LANES:count
        for h in axes(phases, 1)
            s.phases_re[h] = lane(l -> real(phases[h, min(first + l - 1, count)]))
            s.phases_im[h] = lane(l -> imag(phases[h, min(first + l - 1, count)]))
        end
        g = inverse_lanes!(s, w.harmonics, z, s.phases_re, s.phases_im)
        for l in 1:min(LANES, count - first + 1)
            keep!(fields, sums, solver, from_lane!(w.matrix, g, l), first + l - 1)
        end
    end
end

function from_lane!(matrix, lanes, l)
    @inbounds for j in axes(matrix, 2), i in axes(matrix, 1)
        matrix[i, j] = complex(lanes.re[i, j][l].value, lanes.im[i, j][l].value)
    end
    return matrix
end

function keep!(fields, sums, solver::DensePath, g, j2)
    f, s = 0, 0
    @inbounds for e in eachindex(g)
        if solver.transformed[e]
            fields[j2, f += 1] = real(g[e])
            fields[j2, f += 1] = imag(g[e])
        else
            sums[s += 1] += real(g[e])
            sums[s += 1] += imag(g[e])
        end
    end
end

# z - H(k) from the harmonics of the row and the phases exp(2 pi i h m2); H is Hermitian.
function shifted_hamiltonian!(g, harmonics, z, phases)
    d = size(g, 1)
    @inbounds for j in 1:d, i in 1:j
        n = i + (j - 1) * d
        re, im = 0.0, 0.0
        @simd for h in axes(harmonics, 1)
            c, p = harmonics[h, n], phases[h]
            re += real(c) * real(p) - imag(c) * imag(p)
            im += real(c) * imag(p) + imag(c) * real(p)
        end
        g[i, j] = complex(-re, -im)
        g[j, i] = complex(-re, im)
    end
    for i in 1:d
        g[i, i] += z
    end
    return g
end

function elements(solver::DensePath, z)
    return Dict(ij => [(2n - 1, 1.0 + 0im), (2n, 1.0im)] for (n, ij) in enumerate(field_elements(solver)))
end

function local_elements(solver::DensePath, sums)
    return Dict{Tuple{Int,Int},ComplexF64}(ij => complex(sums[2n - 1], sums[2n]) for (n, ij) in enumerate(other_elements(solver)))
end

"""
    invert!(a, pivots)

Inverse in place by Gauss-Jordan elimination with row pivoting.
"""
function invert!(a::AbstractMatrix{ComplexF64}, pivots::Vector{Int})
    d = size(a, 1)
    @inbounds for k in 1:d
        pivot!(a, pivots, k)
        inverse = inv(a[k, k])
        a[k, k] = 1
        for j in 1:d
            a[k, j] *= inverse
        end
        for i in 1:d
            i == k && continue
            factor = a[i, k]
            a[i, k] = 0
            for j in 1:d
                a[i, j] -= factor * a[k, j]
            end
        end
    end
    @inbounds for k in d:-1:1, i in 1:d
        p = pivots[k]
        a[i, k], a[i, p] = a[i, p], a[i, k]
    end
    return a
end

# The row below row k - 1 with the largest element of column k becomes row k.
function pivot!(a, pivots, k)
    p = k
    @inbounds for i in (k + 1):size(a, 1)
        abs2(a[i, k]) > abs2(a[p, k]) && (p = i)
    end
    @inbounds pivots[k] = p
    swap_rows!(a, k, p)
end

function swap_rows!(a, k, p)
    k == p && return
    @inbounds for j in axes(a, 2)
        a[k, j], a[p, j] = a[p, j], a[k, j]
    end
end
