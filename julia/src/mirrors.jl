"""
    Mirror(turn, phases, reversed)

A symmetry that takes a row m1 of k points to the row -m1: with gk = (-m1, turn m2), turn = -1 or 1,
G_ij(gk) = u_i u_j^* G_ij(k), or `reversed` G_ij(gk) = u_i u_j^* G_ji(k). Half of all rows then says all: an inversion,
time reversal within a block (every Hamiltonian whose hoppings can be made real), or a mirror line, with spin-orbit
coupling joined with time reversal.
"""
struct Mirror
    turn::Int
    phases::Vector{ComplexF64}
    reversed::Bool
end

"""
    mirror_of(bonds, block)

A mirror of the block, or nothing where it has none: H_gR = u H_R u^H, or u H_R^T u^H reversed, on all bonds. Reversed,
a bond to a layer below answers to the one to a layer above.
"""
function mirror_of(bonds::Bonds, block::Vector{Int})
    model = bonds.matrices[block, block, :]
    numbers = Dict((bonds.vectors[1, n], bonds.vectors[2, n], layer(bonds, n)) => n for n in axes(bonds.vectors, 2))
    for turn in (-1, 1)
        for reversed in (true, false)
            image = zero(model)
            for (r, n) in numbers
                at = get(numbers, (-r[1], turn * r[2], reversed ? -r[3] : r[3]), nothing)
                at === nothing || (image[:, :, n] = model[:, :, at])
            end
            phases = gauge(reversed ? permutedims(model, (2, 1, 3)) : model, image)
            phases === nothing || return Mirror(turn, phases, reversed)
        end
    end
    return nothing
end

mirror_of(::Union{RealPair,ComplexPair}, ::Bonds) = nothing # all rows of a pair cost little
mirror_of(solver::DensePath, bonds::Bonds) = mirror_of(bonds, solver.block)
