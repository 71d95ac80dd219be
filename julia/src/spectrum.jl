"""
    spectral_function!(a, bonds, momenta, energies, broadening)

A(k, w) = -(1/pi) Im Tr_e [w + i delta - H(k)]^-1 in states per meV, or of a half-infinite crystal that of its surface's
g(k, w); `a` is energies x momenta, `momenta` 2 x count in reduced coordinates.
"""
function spectral_function!(a, bonds::Bonds, momenta, energies, broadening::Real)
    layer_reach(bonds) == 0 || return surface_spectrum!(a, bonds, momenta, energies, broadening)
    d, ne = dimension(bonds), electrons(bonds)
    make() = (zeros(ComplexF64, d, d), zeros(ComplexF64, d, d), zeros(Int, d))
    foreach_chunk(make, size(momenta, 2), 64) do (h, g, pivots), range
        for k in range
            hamiltonian!(h, bonds, momenta[1, k], momenta[2, k])
            for (e, w) in enumerate(energies)
                g .= .-h
                for i in 1:d
                    g[i, i] += complex(w, broadening)
                end
                invert!(g, pivots)
                a[e, k] = -sum(imag(g[i, i]) for i in 1:ne) / pi
            end
        end
    end
    return nothing
end

function surface_spectrum!(a, bonds::Bonds, momenta, energies, broadening::Real)
    d, ne, degree = dimension(bonds), electrons(bonds), harmonic_range(bonds)
    solver = DensePath(bonds, collect(1:d), true, 1:d)
    make() = (workspace(solver), RowPhases(bonds), zeros(1, field_count(solver)))
    foreach_chunk(make, size(momenta, 2), 4) do (w, phases, fields), range
        for k in range
            on_row!(phases, momenta[1, k])
            tables = Tables(1, momenta[2, k], degree)
            for (e, energy) in enumerate(energies)
                row!(fields, Float64[], solver, w, complex(energy, broadening), phases, tables)
                a[e, k] = -sum(fields[1, 2(i + (i - 1) * d)] for i in 1:ne) / pi # imaginary parts come second
            end
        end
    end
    return nothing
end

"""
    grid_dos!(dos, own, bonds, energies, broadening, n)

Density of states -(1/pi) Im Tr_e g0 on the uniform n x n grid, by the block solvers, and `own` (components x energies)
what each electron component holds of it.
"""
function grid_dos!(dos, own, bonds::Bonds, energies, broadening::Real, n::Integer)
    grid = Grid(n)
    tables = Tables(grid, harmonic_range(bonds))
    known = families(bonds)
    for (e, w) in enumerate(energies)
        z = complex(w, broadening)
        dos[e] = -sum(family -> electron_average!(view(own, :, e), bonds, family, z, grid, tables), known) / pi
    end
    return nothing
end

# (1/N^2) sum_k Im of the block's electron trace, times the number of blocks that share it; `own` is given the elements.
function electron_average!(own, bonds::Bonds, family::Family, z, grid::Grid, tables::Tables)
    ne = count(<=(electrons(bonds)), family.block)
    ne == 0 && return 0.0 # a gap for one spin alone leaves blocks of holes
    solver = block_solver(bonds, family.block, z, false)
    fields = field_count(solver)
    rows = zeros(fields, grid.n)
    make() = (zeros(grid.n, fields), zeros(local_count(solver)), workspace(solver), RowPhases(bonds))
    foreach_chunk(make, grid.n, 16) do (values, unused, scratch, phases), range
        for j in range
            row!(values, unused, solver, scratch, z, on_row!(phases, grid, j - 1), tables)
            rows[:, j] = sum(values, dims = 1)
        end
    end
    means = vec(sum(rows, dims = 2)) ./ grid.n^2
    parts = elements(solver, z)
    diagonal = [sum(c * means[f] for (f, c) in parts[i, i]) for i in 1:ne]
    for block in [[family.block]; [twin.block for twin in family.twins]]
        own[block[1:ne]] .= -imag.(diagonal) ./ pi
    end
    return imag(sum(diagonal)) * (1 + length(family.twins))
end
