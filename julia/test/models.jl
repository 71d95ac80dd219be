# Small models by their bonds, and the Green's function by plain linear algebra.

const S0 = ComplexF64[1 0; 0 1]
const SX = ComplexF64[0 1; 1 0]
const SY = ComplexF64[0 -im; im 0]
const SZ = ComplexF64[1 0; 0 -1]
const SINGLET = im * SY

function bonds_from(terms)
    vectors = collect(keys(terms))
    return GapScope.Bonds(hcat(collect.(vectors)...), cat((terms[v] for v in vectors)...; dims = 3))
end

function bdg(electrons, gap)
    terms = Dict{Tuple{Int,Int},Matrix{ComplexF64}}()
    at(r) = get!(() -> zeros(ComplexF64, 4, 4), terms, r)
    for (r, h) in electrons
        at(r)[1:2, 1:2] .+= h
        at((-r[1], -r[2]))[3:4, 3:4] .-= transpose(h)
    end
    for (r, d) in gap
        at(r)[1:2, 3:4] .+= d
        at((-r[1], -r[2]))[3:4, 1:2] .+= d'
    end
    return bonds_from(terms)
end

# Nearest neighbours of the triangular lattice, three vectors and their opposites.
const NEIGHBOURS = [(1, 0), (-1, 1), (0, -1)]
opposite(r) = (-r[1], -r[2])

"""One band with Ising coupling; `rashba` couples the spins."""
function electrons(; onsite = 0.3, hopping = 1.0, ising = 0.2, rashba = 0.0)
    terms = Dict((0, 0) => onsite * S0)
    for r in NEIGHBOURS
        terms[r] = hopping * S0 - im * ising * SZ - im * rashba * SX
        terms[opposite(r)] = hopping * S0 + im * ising * SZ + im * rashba * SX
    end
    return terms
end

singlet(amplitude = 0.4) = Dict((0, 0) => amplitude * SINGLET)

"""f-wave triplet: odd on the six neighbours; d along z or in the plane."""
function triplet(amplitude = 0.4; d = SZ)
    terms = Dict{Tuple{Int,Int},Matrix{ComplexF64}}()
    for r in NEIGHBOURS
        terms[r] = -im * amplitude * SINGLET * d
        terms[opposite(r)] = im * amplitude * SINGLET * d
    end
    return terms
end

hamiltonian(bonds, m1, m2) = GapScope.hamiltonian!(zeros(ComplexF64, 4, 4), bonds, m1, m2)

green(bonds, z, m1, m2) = inv(z * I - hamiltonian(bonds, m1, m2))

"""G(r) on the torus by the plain double sum."""
function green_at(bonds, z, n, r)
    total = zeros(ComplexF64, 4, 4)
    for j1 in 0:(n - 1), j2 in 0:(n - 1)
        total .+= cis(2pi * (j1 * r[1] + j2 * r[2]) / n) .* green(bonds, z, j1 / n, j2 / n)
    end
    return total / n^2
end
