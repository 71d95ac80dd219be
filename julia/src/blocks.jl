# Amplitudes that differ by less than this, relative to the largest, are equal up to rounding.
const ROUNDING = 1e-13

"""
    connected_blocks(bonds)

Index sets between which H has no matrix element on any bond, each sorted, in order of their first index. An electron
and a hole that are coupled to nothing, as in a normal state, make one set: a pair with no gap, whose poles are known.
"""
function connected_blocks(bonds::Bonds)
    d = dimension(bonds)
    coupled = [any(!iszero, view(bonds.matrices, i, j, :)) for i in 1:d, j in 1:d]
    blocks, seen = Vector{Int}[], falses(d)
    for start in 1:d
        seen[start] && continue
        block, seen[start] = [start], true
        for i in block, j in 1:d # `block` grows while it is walked through
            if !seen[j] && (coupled[i, j] || coupled[j, i])
                push!(block, j)
                seen[j] = true
            end
        end
        push!(blocks, sort!(block))
    end
    return joined_singles(bonds, blocks)
end

# Each lone electron with a lone hole, the one with the opposite energy where there is one.
function joined_singles(bonds::Bonds, blocks)
    ne = electrons(bonds)
    holes = [block[1] for block in blocks if length(block) == 1 && block[1] > ne]
    joined = Vector{Int}[]
    for block in blocks
        if length(block) == 1 && block[1] <= ne && !isempty(holes)
            e = block[1]
            scale = maximum(abs, view(bonds.matrices, e, e, :))
            opposite(h) = maximum(abs, bonds.matrices[e, e, :] .+ bonds.matrices[h, h, :]) <= ROUNDING * scale
            found = findfirst(opposite, holes)
            push!(joined, [e, popat!(holes, found === nothing ? 1 : found)])
        else
            push!(joined, block)
        end
    end
    return filter(block -> !(length(block) == 1 && block[1] > ne && !(block[1] in holes)), joined)
end

"""
    Twin(block, phases, reversed)

A block whose Green's function follows from that of another one, its rows in the order of that one's:
G'_ij(r) = u_i u_j^* G_ij(r), or with time reversal G'_ij(r) = u_i u_j^* G_ji(-r).
"""
struct Twin
    block::Vector{Int}
    phases::Vector{ComplexF64}
    reversed::Bool
end

"""
    Family(block, twins)

A block that is computed and those that follow from it.
"""
struct Family
    block::Vector{Int}
    twins::Vector{Twin}
end

"""
    families(bonds)

Blocks of H grouped by time reversal or spin degeneracy.
"""
function families(bonds::Bonds)
    found = Family[]
    for block in connected_blocks(bonds)
        any(family -> adopt!(family, bonds, block), found) && continue
        push!(found, Family(block, Twin[]))
    end
    return found
end

function adopt!(family::Family, bonds::Bonds, block::Vector{Int})
    length(block) == length(family.block) || return false
    ne = count(<=(electrons(bonds)), block)
    ne == count(<=(electrons(bonds)), family.block) || return false
    model, image = bonds.matrices[family.block, family.block, :], bonds.matrices[block, block, :]
    for reversed in (true, false)
        found = matching(reversed ? conj(model) : model, image, ne)
        found === nothing && continue
        order, phases = found
        push!(family.twins, Twin(block[order], phases, reversed))
        return true
    end
    return false
end

# Partial orders that are tried before two blocks count as different: equal sizes of all elements are rare but where
# the blocks are related, and then one of the first orders fits.
const MOST_ORDERS = 10_000

"""
    matching(model, image, ne)

An order of the image's rows, electrons (the first `ne`) among themselves, and phases u with
image_R[order[i], order[j]] = u_i u_j^* model_R[i, j] on every bond, or nothing where there are none.
"""
function matching(model::Array{ComplexF64,3}, image::Array{ComplexF64,3}, ne::Integer)
    d = size(model, 1)
    ours, theirs = abs.(model), abs.(image)
    close = ROUNDING * d * maximum(ours)
    order, tried = zeros(Int, d), Ref(0)
    function fits(i, j)
        order[i] = j
        return all(1:i) do k
            all(n -> abs(ours[i, k, n] - theirs[j, order[k], n]) <= close, axes(ours, 3))
        end
    end
    function extend(i)
        i > d && return gauge(model, image[order, order, :])
        for j in [i; 1:(i - 1); (i + 1):d]
            ((i <= ne) != (j <= ne) || j in view(order, 1:(i - 1))) && continue
            (tried[] += 1) > MOST_ORDERS && return nothing
            fits(i, j) || continue
            phases = extend(i + 1)
            phases === nothing || return phases
        end
        return nothing
    end
    phases = extend(1)
    return phases === nothing ? nothing : (order, phases)
end

"""
    gauge(model, image)

Phases u with image_R[i, j] = u_i u_j^* model_R[i, j] on every bond, or nothing where there are none.
"""
function gauge(model::Array{ComplexF64,3}, image::Array{ComplexF64,3})
    d = size(model, 1)
    u = zeros(ComplexF64, d)
    for start in 1:d
        iszero(u[start]) || continue
        u[start] = 1 # the phase of what is coupled to nothing before it is free
        reached = [start]
        for i in reached, j in 1:d # `reached` grows while it is walked through
            iszero(u[j]) || continue
            largest, n = findmax(abs.(view(model, i, j, :)))
            largest > 0 || continue
            ratio = image[i, j, n] / (u[i] * model[i, j, n])
            abs(abs(ratio) - 1) <= ROUNDING * d || return nothing
            u[j] = conj(ratio) / abs(ratio)
            push!(reached, j)
        end
    end
    for j in 1:d, i in 1:d
        scale = maximum(abs, view(image, i, j, :))
        for n in axes(model, 3)
            abs(image[i, j, n] - u[i] * conj(u[j]) * model[i, j, n]) <= ROUNDING * d * scale || return nothing
        end
    end
    return u
end

"""
    related(bonds, family, wanted)

Components of the family's block from which the wanted ones of all its blocks follow.
"""
function related(bonds::Bonds, family::Family, wanted)
    length(wanted) == dimension(bonds) && return family.block
    blocks = [[family.block]; [twin.block for twin in family.twins]]
    return [family.block[i] for i in eachindex(family.block) if any(block -> block[i] in wanted, blocks)]
end
