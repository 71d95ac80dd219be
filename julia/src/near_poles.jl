# Poles of G = [z - H]^-1 along a row near the unit circle, w = exp(2 pi i m2) = exp(s): where A(s) = z - H has a null
# vector. Each is followed by inverse iteration, y = A^-1 A' x and s <- s - 1/(x^H y), which converges quadratically
# whether the pole is simple or belongs to bands that are degenerate. Poles of the same band (the same null vector)
# repel each other as in Aberth's iteration, so that two that are about to meet are not taken for one.

const MOST_STEPS = 8
const LONGEST_STEP = 0.1
const STEP_ACCURACY = 1e-5      # of the last step relative to the distance from the circle: its square remains
const CLOSE = 0.01              # poles nearer to each other, relative to that distance, are of different bands

"""
    NearPoles(d, degree, capacity)

Poles in slots that they keep from row to row: `places` s, 0 where a slot is empty, and null vectors.
"""
struct NearPoles
    places::Vector{ComplexF64}
    vectors::Matrix{ComplexF64}       # d x capacity
    known::BitVector                  # whether the null vector is
    matrix::Matrix{ComplexF64}
    slope::Matrix{ComplexF64}
    pivots::Vector{Int}
    image::Vector{ComplexF64}
    powers::Vector{ComplexF64}
end

function NearPoles(d::Integer, degree::Integer, capacity::Integer)
    room(sizes...) = zeros(ComplexF64, sizes...)
    return NearPoles(
        room(capacity), room(d, capacity), falses(capacity), room(d, d), room(d, d), zeros(Int, d), room(d),
        room(2degree + 1),
    )
end

is_there(poles::NearPoles, k) = poles.places[k] != 0

"""
    polish!(poles, harmonics, z, reach)

Move all poles to where det(z - H) vanishes; slots whose pole is lost, is farther from the circle than `reach` or was
found twice are emptied.
"""
function polish!(poles::NearPoles, harmonics, z, reach)
    for k in eachindex(poles.places)
        is_there(poles, k) || continue
        found = converge!(poles, k, harmonics, z)
        keep = found && abs(real(poles.places[k])) < reach && !found_before(poles, k)
        keep || (poles.places[k] = 0)
    end
    return poles
end

function found_before(poles::NearPoles, k)
    s = poles.places[k]
    near(j) = abs(turned(s - poles.places[j])) < 1e-9 + 1e-7 * abs(real(s))
    return any(j -> is_there(poles, j) && near(j), 1:(k - 1))
end

# With the imaginary part between -pi and pi: the same place on the circle.
turned(s) = complex(real(s), rem(imag(s), 2pi, RoundNearest))

function converge!(poles::NearPoles, k, harmonics, z)
    x = view(poles.vectors, :, k)
    for step in 1:MOST_STEPS
        s = poles.places[k]
        factor!(poles, harmonics, z, s) || return true # on the pole
        if !poles.known[k]
            start_vector!(x)
            foreach(_ -> inverse_step!(poles, x), 1:2)
            poles.known[k] = true
        end
        inverse = inverse_step!(poles, x)
        change = 1 / (inverse - repulsion(poles, k, s))
        isfinite(change) || return false
        moved = abs(change)
        moved > LONGEST_STEP && (change *= LONGEST_STEP / moved)
        poles.places[k] = turned(s - change)
        # Without the repulsion, which makes steps short where there is still a way to go.
        abs(inverse) * STEP_ACCURACY * abs(real(poles.places[k])) >= 1 && return true
    end
    return false
end

function start_vector!(x)
    for i in eachindex(x)
        x[i] = cis(2.4i^2) / sqrt(length(x))
    end
end

function repulsion(poles::NearPoles, k, s)
    total = zero(s)
    for j in eachindex(poles.places)
        (j == k || !is_there(poles, j) || !poles.known[j]) && continue
        common = zero(s)
        for i in axes(poles.vectors, 1)
            common += conj(poles.vectors[i, j]) * poles.vectors[i, k]
        end
        apart = turned(s - poles.places[j])
        # Two of one band are never that close, for they lie on both sides of the circle.
        abs(apart) < CLOSE * abs(real(s)) || (total += abs2(common) / apart)
    end
    return total
end

# A(s) = LU and A'(s) = -sum_h h H_h exp(h s).
function factor!(poles::NearPoles, harmonics, z, s)
    a, slope, powers = poles.matrix, poles.slope, poles.powers
    degree, d = length(powers) ÷ 2, size(poles.matrix, 1)
    for h in (-degree):degree
        powers[h + degree + 1] = exp(h * s)
    end
    @inbounds for e in eachindex(a)
        x = y = zero(s)
        for h in eachindex(powers)
            c = harmonics[h, e]
            iszero(c) && continue
            c *= powers[h]
            x -= c
            y -= (h - degree - 1) * c
        end
        a[e], slope[e] = x, y
    end
    for i in 1:d
        a[i, i] += z
    end
    return lu!(a, poles.pivots)
end

function lu!(a, pivots)
    d = size(a, 1)
    @inbounds for k in 1:d
        pivot!(a, pivots, k)
        iszero(a[k, k]) && return false
        inverse = reciprocal(a[k, k])
        for i in (k + 1):d
            a[i, k] *= inverse
        end
        for j in (k + 1):d
            x = a[k, j]
            @simd for i in (k + 1):d
                a[i, j] -= a[i, k] * x
            end
        end
        a[k, k] = inverse
    end
    return true
end

# x <- A^-1 A' x, normalised; returns x^H A^-1 A' x of the old one.
function inverse_step!(poles::NearPoles, x)
    a, y, d = poles.matrix, poles.image, length(x)
    fill!(y, 0)
    @inbounds for j in 1:d, i in 1:d
        y[i] += poles.slope[i, j] * x[j]
    end
    @inbounds for k in 1:d
        p = poles.pivots[k]
        y[k], y[p] = y[p], y[k]
    end
    @inbounds for k in 1:d, i in (k + 1):d
        y[i] -= a[i, k] * y[k]
    end
    @inbounds for k in d:-1:1
        y[k] *= a[k, k]
        for i in 1:(k - 1)
            y[i] -= a[i, k] * y[k]
        end
    end
    rayleigh = sum(conj(x[i]) * y[i] for i in 1:d)
    x .= y ./ sqrt(sum(abs2, y))
    return rayleigh
end
