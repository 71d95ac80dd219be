const COLUMNS = 8

"""
    grid_window(bonds, z, grid, half, whole; wanted = all)

G(r) = (1/N^2) sum_k exp(i k.r) G(k, z) over the uniform grid, on sites |r1|, |r2| <= half; elements between
holes at r = 0 only, unless the `whole` of G is wanted, and of large blocks those of the `wanted` components alone.

Row by row: the fields of a row m1 are evaluated and transformed along m2, and only the window's r2 are
kept; then every column is transformed along m1. Memory grows as N * window, not N^2.
"""
function grid_window(
    bonds::Bonds, z::Complex, grid::Grid, half::Integer, whole::Bool; wanted = 1:dimension(bonds)
)
    green = WindowGreen(dimension(bonds), electrons(bonds), half)
    tables = Tables(grid, harmonic_range(bonds))
    for family in families(bonds)
        solver = block_solver(bonds, family.block, z, whole; wanted = related(bonds, family, wanted))
        rows, sums = transform_rows(bonds, solver, z, grid, tables, green.half)
        transforms = transform_columns(rows, grid, green.half)
        transforms ./= grid.n^2
        locals = local_elements(solver, vec(sum(sums, dims = 2)) ./ grid.n^2)
        for ((i, j), value) in locals
            green.g0[family.block[i], family.block[j]] = value
        end
        add_block!(green, family.block, window_elements(elements(solver, z), transforms))
        foreach(twin -> add_twin!(green, family.block, twin), family.twins)
    end
    return green
end

"""
    block_solver(bonds, block, z, whole; wanted = all)

The cheapest solver a block allows. A solver inverts z - H(k) of one block on rows of k; it is a type with methods of

- `field_count(solver)`, `local_count(solver)`: how many real fields F_f(k) are transformed to the window, and how
  many real numbers are averaged over the zone alone;
- `workspace(solver)`: scratch for one task; solvers themselves are not written to, since tasks share them;
- `row!(fields, sums, solver, scratch, z, phases, tables)`: for the row m1 that `phases` stand on (`on_row!`), F_f at
  the m2 of `tables`, into `fields` (points, field_count); the sums over these points into `sums` (local_count);
- `elements(solver, z)`: how G_ij(r) follows from the transforms of the fields, (i, j) => [(f, c_f), ...];
- `local_elements(solver, averages)`: (i, j) => average over the zone, of the elements that are not transformed.

Indices i, j count within the block, electrons before holes. Elements between holes may be local unless `whole` is
true, and of a block of any size all elements without one of the `wanted` components may. Numbers depend on z, row and points alone, never on the task: maps are the same for any number of threads. The
method `converged` further needs rows to an accuracy: `exact_row!` and `residue_norms!` of a rows type, which
`RowIntegral` makes of the solver (`PoleRows` for pairs, `DenseRows` for blocks of any size).
"""
function block_solver(bonds::Bonds, block::Vector{Int}, z::Complex, whole::Bool; wanted = 1:dimension(bonds))
    ne = electrons(bonds)
    is_pair = length(block) == 2 && block[1] <= ne < block[2] && layer_reach(bonds) == 0
    return is_pair ? pair_solver(bonds, block, z, whole) : DensePath(bonds, block, whole, wanted)
end

"""
    RowBuffers(n, fields)

Fields on the n points of a row and their transforms, aligned for FFTW.
"""
struct RowBuffers{F,S}
    fields::F
    spectra::S
end
RowBuffers(n::Integer, fields::Integer) =
    RowBuffers(FFTW.aligned(Float64, n, fields), FFTW.aligned(ComplexF64, n ÷ 2 + 1, fields))

# Fields of all rows, transformed along m2: half + 1 (r2 = 0 .. half) x N (rows) x fields.
function transform_rows(bonds::Bonds, solver, z, grid::Grid, tables::Tables, half::Integer)
    n, fields = grid.n, field_count(solver)
    rows = Array{ComplexF64}(undef, half + 1, n, fields)
    sums = zeros(local_count(solver), n)
    plan = FFTW.real_rows(n, fields)
    make() = (RowBuffers(n, fields), workspace(solver), RowPhases(bonds))
    foreach_chunk(make, n, 16) do (buffers, scratch, phases), range
        values, spectra = buffers.fields, buffers.spectra
        for j in range
            row!(values, view(sums, :, j), solver, scratch, z, on_row!(phases, grid, j - 1), tables)
            FFTW.transform!(spectra, values, plan)
            for f in 1:fields, r2 in 0:half # exp(+i k.r), real fields; the torus repeats beyond n/2
                r = mod(r2, n)
                rows[r2 + 1, j, f] = 2r <= n ? conj(spectra[r + 1, f]) : spectra[n - r + 1, f]
            end
        end
    end
    return rows, sums
end

# Sums over the rows with exp(2 pi i m1 r1): (2 half + 1) (r1 = -half .. half) x half + 1 x fields.
function transform_columns(rows::Array{ComplexF64,3}, grid::Grid, half::Integer)
    n, fields = grid.n, size(rows, 3)
    transforms = Array{ComplexF64}(undef, 2half + 1, half + 1, fields)
    plan = FFTW.complex_columns(n, COLUMNS)
    batches = [(first:min(first + COLUMNS - 1, half + 1), f) for first in 1:COLUMNS:(half + 1), f in 1:fields]
    foreach_chunk(() -> FFTW.aligned(ComplexF64, n, COLUMNS), length(batches), 1) do buffer, range
        for (columns, f) in batches[range]
            for j in 1:n, (c, r2) in enumerate(columns)
                @inbounds buffer[j, c] = rows[r2, j, f]
            end
            FFTW.transform!(buffer, buffer, plan)
            for (c, r2) in enumerate(columns), r1 in (-half):half
                @inbounds transforms[r1 + half + 1, r2, f] = buffer[mod(r1, n) + 1, c]
            end
        end
    end
    return transforms
end
