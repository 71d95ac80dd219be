"""
    tmatrix(g0, v)

T = V (1 - g0 V)^-1.
"""
function tmatrix(g0::AbstractMatrix, v::AbstractMatrix)
    d = size(v, 1)
    return product(v, invert!(Matrix{ComplexF64}(I, d, d) .- product(g0, v), zeros(Int, d)))
end

# A plain product: for these few rows the first call of BLAS would cost more time and memory than all.
product(a, b) = [sum(a[i, k] * b[k, j] for k in axes(b, 1)) for i in axes(a, 1), j in axes(b, 2)]

"""
    electron_trace!(a, green, t)

A(r) = Tr_e [G(r) T G(-r)] on r1, r2 = -half .. half - 1; the change of the local density of states
is -Im A / pi. `a` is indexed [r2, r1], as a row-major (r1, r2) array lies in memory.
"""
function electron_trace!(a::AbstractMatrix, green::WindowGreen, t::AbstractMatrix)
    half, d = green.half, size(t, 1)
    fill!(a, 0)
    for e in 1:green.electrons
        left = [i for i in 1:d if haskey(green.elements, (e, i))]
        right = [j for j in 1:d if haskey(green.elements, (j, e))]
        for j in right
            gj = green.elements[j, e]
            for i in left
                iszero(t[i, j]) && continue
                accumulate_product!(a, green.elements[e, i], t[i, j], gj, half)
            end
        end
    end
    return a
end

function accumulate_product!(a, left, t, right, half)
    @inbounds for r1 in (-half):(half - 1), r2 in (-half):(half - 1)
        a[r2 + half + 1, r1 + half + 1] +=
            left[half + 1 + r1, half + 1 + r2] * t * right[half + 1 - r1, half + 1 - r2]
    end
end

"""
    density_of_states(g0)

-(1/pi) Im Tr_e g0 in states per meV and site; integrates to 2 per orbital.
"""
density_of_states(g0::AbstractMatrix) = -sum(imag(g0[i, i]) for i in 1:(size(g0, 1) ÷ 2)) / pi

"""
    grid_maps!(trace, dos, g0, bonds, v, energies, broadening, n)

A(r; w), density of states and g0 for every energy, on the uniform n x n grid.

`trace` is L x L x energies, indexed [r2, r1, energy]; `g0` is d x d x energies.
"""
function grid_maps!(trace, dos, g0, bonds::Bonds, v::AbstractMatrix, energies, broadening::Real, n::Integer)
    grid = Grid(n)
    for (e, w) in enumerate(energies)
        green = grid_window(bonds, complex(w, broadening), grid, size(trace, 1))
        electron_trace!(view(trace, :, :, e), green, tmatrix(green.g0, v))
        dos[e] = density_of_states(green.g0)
        g0[:, :, e] = green.g0
    end
    return nothing
end
