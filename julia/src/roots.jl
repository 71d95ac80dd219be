# All roots of a polynomial at once by Aberth's iteration (O. Aberth, Math. Comp. 27, 339 (1973)):
#   w_i <- w_i - r_i / (1 - r_i sum_j 1/(w_i - w_j)),  r_i = Q(w_i)/Q'(w_i).
# From row to row the roots move little, so a few sweeps follow them; close pairs repel each other and
# none is lost.

const FAR = 1e6                 # roots beyond are kept there: a leading coefficient may vanish
const NEAR_CIRCLE = 0.8         # |w|^2 of roots whose accuracy matters
const ROOT_ACCURACY = 1e-12
const MOST_SWEEPS = 100

# Faster than Julia's division, which guards against overflow; |x|^2 is far from it here.
reciprocal(x::ComplexF64) = conj(x) / abs2(x)

# Q and Q' at w; coefficients in rising order.
@inline function horner(q, w)
    @inbounds p = q[end]
    d = zero(p)
    @inbounds for k in (length(q) - 1):-1:1
        d = muladd(d, w, p)
        p = muladd(p, w, q[k])
    end
    return p, d
end

# The same of the reversed polynomial w^n Q(1/w).
@inline function reversed_horner(q, w)
    @inbounds p = q[1]
    d = zero(p)
    @inbounds for k in 2:length(q)
        d = muladd(d, w, p)
        p = muladd(p, w, q[k])
    end
    return p, d
end

@inline function newton_step(q, x)
    if abs2(x) <= 1
        p, d = horner(q, x)
        return p * reciprocal(d)
    end
    y = reciprocal(x)
    p, d = reversed_horner(q, y)
    return x * p * reciprocal((length(q) - 1) * p - y * d)
end

# One sweep; returns the largest relative step (squared) of the roots with near < |w|^2 < 1/near.
function aberth_sweep!(w, q, near)
    worst = 0.0
    @inbounds for i in eachindex(w)
        x = w[i]
        newton = newton_step(q, x)
        repulsion = zero(x)
        for j in eachindex(w)
            j == i && continue
            repulsion += reciprocal(x - w[j])
        end
        step = newton * reciprocal(1 - newton * repulsion)
        isfinite(step) || continue
        w[i] = within_reach(x - step)
        size = abs2(x)
        near < size < 1 / near && (worst = max(worst, abs2(step) / size))
    end
    return worst
end

within_reach(x) = abs2(x) > FAR^2 ? FAR * x / abs(x) : abs2(x) < 1 / FAR^2 ? x / (FAR * max(abs(x), floatmin())) : x

"""
    find_roots!(w, q)

All roots of sum_k q[k+1] w^k from a fixed start, the polynomial having as many roots inside the unit
circle as outside. Returns whether those near the circle have converged.
"""
function find_roots!(w, q)
    n = length(w)
    for k in 1:n
        w[k] = (2k <= n ? 0.5 : 2.0) * cis(4pi * (k - 0.7) / n)
    end
    for _ in 1:MOST_SWEEPS
        aberth_sweep!(w, q, 1 / FAR) < 1e-10 && break
    end
    return follow_roots!(w, q)
end

"""
    follow_roots!(w, q)

The roots from those of a neighbouring row, near the unit circle to full accuracy. Returns whether they
have converged, with half of them inside: det(z - H) does not wind around zero on the circle, since it is
never zero there and goes to z^2 without touching zero as Im z grows.
"""
function follow_roots!(w, q)
    for _ in 1:MOST_SWEEPS
        if aberth_sweep!(w, q, NEAR_CIRCLE) < ROOT_ACCURACY^2
            return 2count(x -> abs2(x) < 1, w) == length(w)
        end
    end
    return false
end

"""
    match_roots!(w, before)

Put the roots in the order of those of a neighbouring row: each next to the nearest on its side of the unit circle,
which no root crosses.
"""
function match_roots!(w, before)
    @inbounds for k in eachindex(w)
        inside = abs2(before[k]) < 1
        best, nearest = k, Inf
        for i in k:length(w)
            (abs2(w[i]) < 1) == inside || continue
            distance = abs2(w[i] - before[k])
            distance < nearest && ((nearest, best) = (distance, i))
        end
        w[k], w[best] = w[best], w[k]
    end
    return w
end
