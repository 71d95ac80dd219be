# Gauss's rule on a panel, and Kronrod's extension of it, which measures the former's error.

const POINTS = 15

"""
    legendre(x, degree)

P_k(x), k = 0 .. degree.
"""
function legendre(x::Real, degree::Integer)
    p = [1.0, x]
    for k in 1:(degree - 1)
        push!(p, ((2k + 1) * x * p[k + 1] - k * p[k]) / (k + 1))
    end
    return p
end

# Zeros of P_n on (-1, 1) by Newton's iteration, with P_n' = n (P_(n-1) - x P_n) / (1 - x^2).
function gauss_legendre(n::Integer)
    slope(x, p) = n * (p[n] - x * p[n + 1]) / (1 - x^2)
    x = [-cos(pi * (j - 0.25) / (n + 0.5)) for j in 1:n]
    for _ in 1:10
        x .-= [p[n + 1] / slope(y, p) for (y, p) in zip(x, legendre.(x, n))]
    end
    return x, [2 / ((1 - y^2) * slope(y, p)^2) for (y, p) in zip(x, legendre.(x, n))]
end

# The rule on (0, 1), weights summing to one.
const LEGENDRE_ZEROS, LEGENDRE_WEIGHTS = gauss_legendre(POINTS)
const NODES = (LEGENDRE_ZEROS .+ 1) ./ 2
const WEIGHTS = LEGENDRE_WEIGHTS ./ 2

"""
    stieltjes_zeros(n)

Zeros of the Stieltjes polynomial E of degree n + 1 on (-1, 1), n odd, one on each side of every zero of P_n: E is
orthogonal to all polynomials of lower degree with the weight P_n, and with these nodes between those of Gauss a rule is
exact to degree 3n + 1 at least (A. S. Kronrod, 1964; T. N. L. Patterson, Math. Comp. 22, 847 (1968)).
"""
function stieltjes_zeros(n::Integer)
    x, w = gauss_legendre(2n)
    p = legendre.(x, n + 1)
    triple(i, j, k) = sum(v * y[i + 1] * y[j + 1] * y[k + 1] for (v, y) in zip(w, p))
    odd, even = 1:2:n, 0:2:(n - 1)
    c = [triple(n, j, k) for j in odd, k in even] \ [-triple(n, j, n + 1) for j in odd]
    E(t) = (y = legendre(t, n + 1); y[n + 2] + sum(c .* y[even .+ 1]))
    ends = [-1; gauss_legendre(n)[1]; 1]
    return [bisect(E, a, b) for (a, b) in zip(ends[1:(end - 1)], ends[2:end])]
end

function bisect(f, a, b)
    for _ in 1:60
        middle = (a + b) / 2
        sign(f(middle)) == sign(f(a)) ? (a = middle) : (b = middle)
    end
    return (a + b) / 2
end

# The nodes that Kronrod adds, on (0, 1), and the weights of his rule: of Gauss's nodes, then of those added.
const FURTHER_ZEROS = stieltjes_zeros(POINTS)
const FURTHER_NODES = (FURTHER_ZEROS .+ 1) ./ 2
const KRONROD_ZEROS, KRONROD_NODES = [LEGENDRE_ZEROS; FURTHER_ZEROS], [NODES; FURTHER_NODES]
const KRONROD_WEIGHTS = hcat(legendre.(KRONROD_ZEROS, 2POINTS)...) \ [1; zeros(2POINTS)]
# Gauss's rule with these nodes, and what Kronrod's changes of it.
const EXTENDED_WEIGHTS = [WEIGHTS; zero(FURTHER_NODES)]
const CHANGE = KRONROD_WEIGHTS .- EXTENDED_WEIGHTS
