# Maps at several energies. What belongs to the Hamiltonian alone, its blocks and their solvers' bonds, is found once;
# and with particle-hole symmetry the Green's function at w serves -w as well.

"""
    density_of_states(g0)

-(1/pi) Im Tr_e g0 in states per meV and site; integrates to 2 per orbital.
"""
density_of_states(g0::AbstractMatrix) = -sum(imag(g0[i, i]) for i in 1:(size(g0, 1) ÷ 2)) / pi

"""
    particle_hole(bonds)

Whether tau_x H(-k)^* tau_x = -H(k), as for every Bogoliubov-de Gennes Hamiltonian.
"""
function particle_hole(bonds::Bonds)
    swapped = [(1:dimension(bonds))[(electrons(bonds) + 1):end]; 1:electrons(bonds)]
    scale = maximum(abs, bonds.matrices)
    return all(
        n -> maximum(abs, conj.(bonds.matrices[swapped, swapped, n]) .+ bonds.matrices[:, :, n]) <= ROUNDING * scale,
        axes(bonds.matrices, 3),
    )
end

"""
    energy_groups(bonds, energies)

Numbers of the energies in groups that share a Green's function: one alone, or w and then -w.
"""
function energy_groups(bonds::Bonds, energies)
    paired = particle_hole(bonds)
    groups = Vector{Int}[]
    for (e, w) in enumerate(energies)
        partner = paired && w != 0 ? findfirst(g -> length(g) == 1 && energies[g[1]] == -w, groups) : nothing
        partner === nothing ? push!(groups, [e]) : push!(groups[partner], e)
    end
    return groups
end

"""
    mirrored(green)

G at -z^* from the whole of G at z: G_ij(r; -z^*) = -G_i'j'(r; z)^*, i' being the hole of the electron i and the
other way round (particle-hole symmetry).
"""
function mirrored(green::WindowGreen)
    ne, d = green.electrons, size(green.g0, 1)
    other(i) = i > ne ? i - ne : i + ne
    elements = Dict((other(i), other(j)) => -conj(g) for ((i, j), g) in green.elements)
    return WindowGreen(ne, green.half, green.columns, elements, [-conj(green.g0[other(i), other(j)]) for i in 1:d, j in 1:d])
end

function mirrored(green::PlaceGreen)
    ne = green.electrons
    turned = mod1.((1:2ne) .+ ne, 2ne)
    matrices = Dict(r => -conj.(g[turned, turned]) for (r, g) in green.matrices)
    return PlaceGreen(ne, matrices, matrices[0, 0])
end

"""
    grid_maps!(trace, dos, g0, bonds, scatterers, energies, broadening, n)

A(r; w), density of states and g0 for every energy, on the uniform n x n grid.

`trace` is L x L x (layers x energies), indexed [r2, r1, layer and energy], layers first; `g0` is d x d x energies.
"""
function grid_maps!(trace, dos, g0, bonds::Bonds, s::Scatterers, energies, broadening::Real, n::Integer)
    grid = Grid(n)
    half, layers = green_range(s, size(trace, 1)), layer_count(s)
    for group in energy_groups(bonds, energies)
        whole = several(s) || length(group) > 1
        z, wanted = complex(energies[group[1]], broadening), touched(s, length(group) > 1)
        green = grid_window(bonds, z, grid, half, whole; wanted = wanted)
        for (k, e) in enumerate(group)
            k == 2 && (green = mirrored(green))
            electron_trace!(view(trace, :, :, ((e - 1) * layers + 1):(e * layers)), green, s, tmatrix(green, s))
            dos[e] = density_of_states(green.g0)
            g0[:, :, e] = green.g0
        end
    end
    return nothing
end
