# G on the window from the panels, in slices of its rows and columns: of a block of 20 all elements on 128 x 128 sites,
# with the estimates of their errors, would take as much memory as the panels.

const SLICE_BYTES = 96 * 2^20

"""
    Slice(family, rows)

The elements G_ij of the family's blocks with i or j among the rows, numbers within a block.
"""
struct Slice
    family::Int
    rows::Vector{Int}
end

"""
    slices(bonds, known, integrals, both, bytes, columns)

Slices of at most so many bytes, one row at least, with all elements that a map needs: those in the rows and columns of
electrons or, for `both` energies, of all components. `columns` is the number of columns r2 >= 0.
"""
function slices(bonds::Bonds, known, integrals, both::Bool, bytes::Integer, columns::Integer)
    found = Slice[]
    for (n, (family, integral)) in enumerate(zip(known, integrals))
        needed = filter(i -> both || family.block[i] <= electrons(bonds), eachindex(family.block))
        rows, filled = Int[], 0
        for i in needed
            more = slice_bytes(integral, family, i, columns)
            if !isempty(rows) && filled + more > bytes
                push!(found, Slice(n, rows))
                rows, filled = Int[], 0
            end
            push!(rows, i)
            filled += more
        end
        isempty(rows) || push!(found, Slice(n, rows))
    end
    return found
end

# Sums and errors over half of the window, for each the elements of the block and of its twins over all of it.
function slice_bytes(integral::RowIntegral, family::Family, i, columns)
    count = sum(ij -> i in ij, keys(elements(integral.solver, integral.z)))
    return 2sizeof(ComplexF64) * count * (2integral.half + 1) * (2columns - 1) * (2 + length(family.twins))
end

"""
    slice_greens(bonds, known, integrals, slice, columns)

G of the slice on the columns, and the same with the estimate of its error added; nothing else is in them.
"""
function slice_greens(bonds::Bonds, known, integrals, slice::Slice, columns)
    greens = Tuple(WindowGreen(dimension(bonds), electrons(bonds), integrals[slice.family].half, columns) for _ in 1:2)
    add_slice!(greens, known[slice.family], integrals[slice.family], slice.rows)
    return greens
end

function add_slice!(greens, family::Family, integral::RowIntegral, rows)
    parts = filter(part -> any(in(rows), part[1]), elements(integral.solver, integral.z))
    fields = sort!(unique(f for part in values(parts) for (f, _) in part))
    numbers = Dict(f => n for (n, f) in enumerate(fields))
    parts = Dict(ij => [(numbers[f], c) for (f, c) in part] for (ij, part) in parts)
    sums, errors = window_sums(integral, fields, greens[1].columns .+ 1)
    for (green, shifted) in zip(greens, (false, true))
        shifted && (sums .+= errors)
        add_block!(green, family.block, window_elements(parts, sums, integral.mirror))
        foreach(twin -> add_twin!(green, family.block, twin), family.twins)
    end
end

# Numbers of the electrons whose rows and columns the slice holds; at -z^* holes are the electrons.
function electrons_of(slice::Slice, green::WindowGreen, known, turned::Bool)
    family, ne = known[slice.family], green.electrons
    rows = [block[i] for block in [[family.block]; [twin.block for twin in family.twins]] for i in slice.rows]
    return turned ? rows[rows .> ne] .- ne : rows[rows .<= ne]
end

"""
    window_greens(bonds, known, integrals)

All of G on the window, and the same with the estimate of its error added.
"""
function window_greens(bonds::Bonds, known, integrals)
    greens = Tuple(WindowGreen(dimension(bonds), electrons(bonds), integrals[1].half) for _ in 1:2)
    for (family, integral) in zip(known, integrals)
        add_slice!(greens, family, integral, eachindex(family.block))
    end
    return greens
end

"""
    place_greens(bonds, known, integrals, places)

G at a few places, r = 0 and with every r -r, and the same with the estimate of its error added: as on the window.
"""
function place_greens(bonds::Bonds, known, integrals, places)
    greens = Tuple(PlaceGreen(dimension(bonds), electrons(bonds), places) for _ in 1:2)
    columns = sort!(unique(abs(r2) + 1 for (_, r2) in places))
    for (family, integral) in zip(known, integrals)
        sums, errors = window_sums(integral, eachindex(integral.weights), columns)
        for (green, shifted) in zip(greens, (false, true))
            shifted && (sums .+= errors)
            add_block!(green, family, Dict(r => unfolded_at(r, integral, sums, columns, length(family.block)) for r in places))
        end
    end
    return greens
end

function unfolded_at(r, integral::RowIntegral, sums, columns, d)
    g = matrix_at(r, integral, sums, columns, d)
    m = integral.mirror
    m === nothing && return g
    other = matrix_at((-r[1], m.turn * r[2]), integral, sums, columns, d)
    m.reversed && (other = transpose(other))
    return g .+ m.phases .* other .* m.phases'
end

# G of a block at r from the transforms with these columns; elements that are not transformed at r = 0 alone.
function matrix_at((r1, r2), integral::RowIntegral, sums, columns, d)
    solver, middle = integral.solver, integral.half + 1
    g = zeros(ComplexF64, d, d)
    column = findfirst(==(abs(r2) + 1), columns)
    for ((i, j), part) in elements(solver, integral.z), (f, c) in part
        g[i, j] += c * (r2 >= 0 ? sums[middle + r1, column, f] : conj(sums[middle - r1, column, f]))
    end
    if r1 == r2 == 0
        for ((i, j), value) in local_elements(solver, local_averages(integral))
            g[i, j] = value
        end
    end
    return g
end
