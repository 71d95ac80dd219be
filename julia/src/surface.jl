# The surface of a half-infinite crystal: layers 0 (the outermost), 1, 2, ... of cells, of which each couples to the next.
# What the T-matrix needs is G of layer 0 alone, g = [z - H_00 - H_01 g H_10]^-1 at every k.

# Layers 2^i apart are what step i couples, so that so many steps are more layers than any broadening resolves.
const MOST_DOUBLINGS = 60
# The couplings alpha and beta of the last step are so weak: |alpha| |beta| <= LEFT_OUT delta^2.
const LEFT_OUT = 1e-8

struct LaneMatrix
    re::Matrix{Lane}
    im::Matrix{Lane}
end
LaneMatrix(n::Integer) = LaneMatrix(fill(lane(0), n, n), fill(lane(0), n, n))

"""
    SurfaceScratch(d, reach, degree)

Room for LANES samples of a block d x d whose bonds reach so many layers down, and which has so many harmonics. A
principal layer is `reach` layers of cells, so that it couples to the next one only.
"""
struct SurfaceScratch
    reach::Int
    layers::Vector{LaneMatrix}   # H_l(k) from a layer to the one l below it, l = 0 .. reach
    top::LaneScratch             # z - H of the outermost principal layer with what the steps add; in the end g
    inside::LaneMatrix           # the same of one deep inside
    inverse::LaneScratch
    down::LaneMatrix             # alpha, from a layer to the next that is left
    up::LaneMatrix               # beta, back
    inverse_down::LaneMatrix
    inverse_up::LaneMatrix
    phases_re::Vector{Lane}
    phases_im::Vector{Lane}
end

function SurfaceScratch(d::Integer, reach::Integer, degree::Integer)
    n = d * reach
    phases() = fill(lane(0), 2degree + 1)
    return SurfaceScratch(
        reach, [LaneMatrix(d) for _ in 0:reach], LaneScratch(n), LaneMatrix(n), LaneScratch(n), LaneMatrix(n),
        LaneMatrix(n), LaneMatrix(n), LaneMatrix(n), phases(), phases(),
    )
end

"""
    inverse_lanes!(scratch, harmonics, z, phases_re, phases_im)

g of LANES samples with these exp(2 pi i h m2), in the first d rows and columns of what is returned: the outermost layer
of cells. `harmonics` (2 degree + 1, d^2 (1 + reach)) hold the elements of H_0 along the row, then those of H_1, ...

Decimation (M. P. Lopez Sancho, J. M. Lopez Sancho, J. Rubio, J. Phys. F 15, 851 (1985)): with G = (z - e)^-1 every second
layer is eliminated,

    e_s <- e_s + alpha G beta,  e <- e + alpha G beta + beta G alpha,  alpha <- alpha G alpha,  beta <- beta G beta,

from e_s = e = H_00, alpha = H_01, beta = alpha^dagger, and g = (z - e_s)^-1. |G| <= 1/delta at every step, so that what
the steps to come add to e_s, u_i = |alpha| |beta| / delta, falls as u_(i+1) <= u_i^2 / delta: they end where u_i <= 1e-8
delta in all samples (Frobenius norms), and what is left out of e_s is less than 1e-16 delta.
"""
function inverse_lanes!(s::SurfaceScratch, harmonics, z, phases_re, phases_im)
    first_layers!(s, harmonics, z, phases_re, phases_im)
    limit = (LEFT_OUT * imag(z)^2)^2
    for _ in 1:MOST_DOUBLINGS
        copyto!(s.inverse.re, s.inside.re)
        copyto!(s.inverse.im, s.inside.im)
        invert_lanes!(s.inverse)
        product!(s.inverse_up, s.inverse, s.up)
        subtract_product!(s.top, s.down, s.inverse_up)
        if largest(times(squares(s.down), squares(s.up))) <= limit
            invert_lanes!(s.top)
            return s.top
        end
        product!(s.inverse_down, s.inverse, s.down)
        subtract_product!(s.inside, s.down, s.inverse_up)
        subtract_product!(s.inside, s.up, s.inverse_down)
        product!(s.inverse, s.down, s.inverse_down) # the inverse has served
        copyto!(s.down.re, s.inverse.re)
        copyto!(s.down.im, s.inverse.im)
        product!(s.inverse, s.up, s.inverse_up)
        copyto!(s.up.re, s.inverse.re)
        copyto!(s.up.im, s.inverse.im)
    end
    error("the surface's Green's function has not converged: 2^$MOST_DOUBLINGS layers do not resolve the broadening")
end

# z - H of a principal layer, and its couplings: its layers a, b of cells are coupled by H_(b - a).
function first_layers!(s::SurfaceScratch, harmonics, z, phases_re, phases_im)
    reach, d = s.reach, size(s.layers[1].re, 1)
    for l in 0:reach
        series!(s.layers[l + 1], harmonics, l * d^2, phases_re, phases_im)
    end
    for m in (s.down, s.up)
        fill!(m.re, lane(0))
        fill!(m.im, lane(0))
    end
    @inbounds for a in 0:(reach - 1), b in 0:(reach - 1), j in 1:d, i in 1:d
        row, column = a * d + i, b * d + j
        x, y = b >= a ? element(s.layers[b - a + 1], i, j) : adjoint_element(s.layers[a - b + 1], i, j)
        x, y = minus(lane(0), x), minus(lane(0), y)
        row == column && ((x, y) = (plus(x, lane(real(z))), plus(y, lane(imag(z)))))
        s.inside.re[row, column], s.inside.im[row, column] = x, y
        if b <= a
            s.down.re[row, column], s.down.im[row, column] = element(s.layers[reach + b - a + 1], i, j)
            s.up.re[column, row], s.up.im[column, row] = adjoint_element(s.layers[reach + b - a + 1], j, i)
        end
    end
    copyto!(s.top.re, s.inside.re)
    copyto!(s.top.im, s.inside.im)
end

@inline element(m, i, j) = @inbounds (m.re[i, j], m.im[i, j])
@inline adjoint_element(m, i, j) = @inbounds (m.re[j, i], minus(lane(0), m.im[j, i]))

# The elements from column `skipped` + 1 of the harmonics on, summed up with these phases.
function series!(m::LaneMatrix, harmonics, skipped, phases_re, phases_im)
    @inbounds for e in eachindex(m.re)
        x, y = lane(0), lane(0)
        for h in axes(harmonics, 1)
            c = harmonics[h, skipped + e]
            iszero(c) && continue
            u, v, p, q = lane(real(c)), lane(imag(c)), phases_re[h], phases_im[h]
            x = minus(plus(x, times(u, p)), times(v, q))
            y = plus(plus(y, times(u, q)), times(v, p))
        end
        m.re[e], m.im[e] = x, y
    end
end

function product!(c, a, b)
    fill!(c.re, lane(0))
    fill!(c.im, lane(0))
    return add_product!(c, a, b, lane(1))
end

subtract_product!(c, a, b) = add_product!(c, a, b, lane(-1))

function add_product!(c, a, b, sign::Lane)
    @inbounds for j in axes(b.re, 2), k in axes(b.re, 1)
        x, y = times(sign, b.re[k, j]), times(sign, b.im[k, j])
        for i in axes(a.re, 1)
            u, v = a.re[i, k], a.im[i, k]
            c.re[i, j] = minus(plus(c.re[i, j], times(u, x)), times(v, y))
            c.im[i, j] = plus(plus(c.im[i, j], times(u, y)), times(v, x))
        end
    end
    return c
end

# Squared Frobenius norm of each sample's matrix.
function squares(m::LaneMatrix)
    total = lane(0)
    @inbounds for e in eachindex(m.re)
        total = plus(plus(total, times(m.re[e], m.re[e])), times(m.im[e], m.im[e]))
    end
    return total
end

largest(a::Lane) = max(a[1].value, a[2].value, a[3].value, a[4].value) # not a number where one is not
