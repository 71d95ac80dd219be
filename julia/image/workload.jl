# Everything that Python asks of the kernel, in small: what running this compiles, `build.jl` keeps.
# ARGS[1] is the path of libfftw3.

using GapScope: GapScope, Host

const DEGREE = 4 # of the bonds along the second vector, as in NbSe2; each takes a minute to compile
const ENERGIES = [0.0, 0.7, -0.7, 1.1] # alone, as a pair of opposite ones, alone
const BROADENING, WINDOW, KGRID, ACCURACY, BUDGET = 0.1, 4, 8, 1e-3, 200

# Bonds to 0, +-(1, 0) and +-(0, DEGREE) as NumPy's arrays arrive: rows of vectors, and matrices with the bond last.
function bonds(onsite, hop, gap, odd_gap)
    bdg(electrons, pair) = [electrons pair; pair' -transpose(electrons)]
    here, there, back = bdg(onsite, gap), bdg(hop, odd_gap), bdg(hop, -odd_gap)
    return [0 1 -1 0 0; 0 0 0 DEGREE -DEGREE], complex(cat(here, there, back, there, back; dims = 3))
end

# One band with a real gap, with a complex one, and with spins that mix; two orbitals.
function models()
    one, mixing, none = [1.0 0; 0 1], [0 0.3; 0.3 0], zeros(2, 2)
    singlet, triplet = [0 0.5; -0.5 0], [0 0.2; 0.2 0]
    twice(a) = [a none; none a]
    return [
        bonds(0.3one, one, singlet, none),
        bonds(0.3one, one, singlet, triplet),
        bonds(0.3one + mixing, one, singlet, none),
        bonds(twice(0.3one) + [none mixing; mixing none], twice(one), twice(singlet), twice(none)),
    ]
end

# The bonds of a plane, and a hop to the layer below.
function stacked((vectors, matrices), hop)
    layer(number) = [0; 0; number]
    below = complex([hop zero(hop); zero(hop) -conj(hop)])
    return hcat([vectors; zeros(Int, 1, size(vectors, 2))], layer(1), layer(-1)), cat(matrices, below, below'; dims = 3)
end

function maps(vectors, matrices, places)
    d, energies = size(matrices, 1), length(ENERGIES)
    outputs() = (
        zeros(ComplexF64, WINDOW, WINDOW, energies, 1), zeros(energies, 1), zeros(ComplexF64, d, d, energies, 1)
    )
    potential = [i == j ? (i > d ÷ 2 ? -1.0 : 1.0) : 0.0 for i in 1:d, j in 1:d]
    sites, potentials = hcat(places...), complex(cat((potential for _ in places)...; dims = 3))
    count = length(places)
    pairs = [a - 1 for _ in 1:2, a in 1:count]
    impurities = sites, [0, count], pairs, potentials, [0, count], zeros(Int, d ÷ 2)
    inputs = vectors, matrices, [0, size(vectors, 2)], impurities..., ENERGIES, BROADENING
    Host.grid_maps(outputs()..., inputs..., KGRID)
    Host.converged_maps(outputs()..., zeros(4, energies, 1), inputs..., ACCURACY, BUDGET)
end

function states(vectors, matrices)
    dos, own = zeros(length(ENERGIES)), zeros(size(matrices, 1) ÷ 2, length(ENERGIES))
    Host.grid_states(dos, own, vectors, matrices, ENERGIES, BROADENING, KGRID)
    Host.converged_states(dos, own, zeros(3, length(dos)), vectors, matrices, ENERGIES, BROADENING, ACCURACY, BUDGET)
    Host.spectral_function(zeros(length(dos), 2), vectors, matrices, [0.0 0.1; 0.0 0.2], ENERGIES, BROADENING)
end

GapScope.FFTW.load(ARGS[1])
Host.warm_up()
for (vectors, matrices) in models()
    maps(vectors, matrices, [[0, 0]])
    maps(vectors, matrices, [[0, 0], [1, 0]])
    states(vectors, matrices)
end
surface = stacked(models()[3], [0.5 0; 0 0.5])
maps(surface..., [[0, 0]])
states(surface...)
