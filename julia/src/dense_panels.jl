# How wrong the rule is on a panel of a large block, and where such a panel is cut. Its rows cost most of the time, so that
# panels are as wide as they can be: with exp(2 pi i m1 r1), and with the powers of the poles, w^r2, F turns several times
# on one of them, which is harmless by itself but multiplies the error that a singularity makes. So the fall of the
# coefficients is taken at r1 = 0, half of it at small r2, and what turns is put in by what is known of it.

# Of the coefficients of degrees 7, 8 and 11, 12 and 13, 14.
const LAST_RULES = hcat(NULL_RULES, null_rule(13), null_rule(14))
# Fall from degree 12 to 29, beyond which the rule errs, by that from 8 to 12.
const WHOLE_FALL = 17 / 4
# On seven other Hamiltonians (docs/decisions/0020); maps of the window 128 want somewhat more than those of 64.
const DENSE_SAFETY = 2.5
# A singularity on the ellipse rho that the fall shows lies anywhere on it; on average, so far from the axis, relative to
# (rho - 1/rho)/2. Waves in r1 and in r2 multiply its error.
const ASIDE = 0.7
const BOTH_WAYS = 2
# r1, relative to the half of the window, where the coefficients that stand for the error are taken, in turn for each r2.
const ASIDES = (-1.0, -0.6, -0.2, 0.3, 0.7, 1.0)

function judge(::DensePath, values, roots, strengths, weights, span)
    half = size(values, 1) - 1
    turn = pi * half * span
    norms = dense_norms(values, weights, turn)
    pinches = [seen(p, norms.last, turn) for p in pinches_of(roots, strengths, norms.tail)]
    rho = max(norms.fall, 1e-8)^(-1 / 4)
    fall = norms.tail * norms.fall^WHOLE_FALL * growth(BOTH_WAYS * turn, ASIDE * (rho - 1 / rho) / 2)
    rule = sqrt(fall^2 + pinch_error(pinches)^2 + wave_error(roots, strengths, half, turn)^2)
    # Without roots a singularity between the nodes would pass for a fall.
    isempty(roots) && (rule = norms.tail)
    return norms.pattern, DENSE_SAFETY * rule, norms.square, pinches
end

# Norms of the coefficients over r2 and fields: of degrees 11, 12 and 13, 14 at r1 = 0, of 13, 14 at other r1, the fall from
# 7, 8 to 11, 12, the geometric mean of that at small r2 and at all, and the average of the squared norm.
function dense_norms(values, weights, turn)
    turned = [LAST_RULES[j, q] * cis(turn * x * LEGENDRE_ZEROS[j]) for j in 1:POINTS, q in 5:6, x in ASIDES]
    low = min(size(values, 1), max(2, (size(values, 1) - 1) ÷ 8))
    first = before = after = tail = last = pattern = square = 0.0
    for f in axes(values, 2), r in axes(values, 1)
        a = b = c = d = e = g = u = v = zero(ComplexF64)
        squares = 0.0
        k = mod1(r, length(ASIDES))
        @inbounds for j in axes(values, 3)
            x = values[r, f, j]
            a += LAST_RULES[j, 1] * x
            b += LAST_RULES[j, 2] * x
            c += LAST_RULES[j, 3] * x
            d += LAST_RULES[j, 4] * x
            e += LAST_RULES[j, 5] * x
            g += LAST_RULES[j, 6] * x
            u += turned[j, 1, k] * x
            v += turned[j, 2, k] * x
            squares += WEIGHTS[j] * abs2(x)
        end
        times = (r == 1 ? 1 : 2) * weights[f]^2
        if r <= low
            before += times * (abs2(a) + abs2(b))
            after += times * (abs2(c) + abs2(d))
        end
        first += times * (abs2(a) + abs2(b))
        tail += times * (abs2(c) + abs2(d))
        last += times * (abs2(e) + abs2(g))
        pattern += times * (abs2(u) + abs2(v))
        square += times * squares
    end
    ratio(x, y) = x < y ? x / y : 1.0
    fall = sqrt(sqrt(ratio(after, before) * ratio(tail, first)))
    return (fall = fall, tail = sqrt(tail), last = sqrt(last), pattern = sqrt(pattern), square = square)
end

# A pinch with no more than the last coefficients have room for, and its error for all r1. Of a far one the rule's error
# is below rounding: it is at most some |h|^30, (h + 1/h)/2 being the place.
function seen(p::Pinch, last, turn)
    p.amplitude > 0 || return p
    c = d = zero(ComplexF64)
    for j in eachindex(WEIGHTS)
        x = 1 / sqrt(LEGENDRE_ZEROS[j] - p.place)
        c += LAST_RULES[j, 5] * x
        d += LAST_RULES[j, 6] * x
    end
    amplitude = min(p.amplitude, last / max(sqrt(abs2(c) + abs2(d)), floatmin()))
    h = abs(p.place - sqrt(p.place - 1) * sqrt(p.place + 1))
    error = min(p.error * amplitude / p.amplitude, 3amplitude * h^30)
    return Pinch(p.place, amplitude, error * growth(turn, imag(p.place)))
end

# The rule's error for the average of exp(i k t), for k in steps of 1/2: nothing below 15, all of it beyond 25.
const WAVE_ERRORS = [abs(sum(WEIGHTS .* cos.(k / 2 .* LEGENDRE_ZEROS)) - sinc(k / 2pi)) for k in 0:120]
wave_error(k::Real) = (i = min(floor(Int, 2abs(k)), 119); max(WAVE_ERRORS[i + 1], WAVE_ERRORS[i + 2]))

# Along the row a pole is w^r2, and with exp(2 pi i m1 r1) F turns too fast for the nodes where both are large.
function wave_error(roots, strengths, half, turn)
    total = 0.0
    for a in axes(roots, 1)
        there = [j for j in 2:POINTS if roots[a, j] != 0 && roots[a, j - 1] != 0]
        isempty(there) && continue
        # Medians: places change their poles, and next to a pinch poles move ever faster.
        rate = median([abs(angle(roots[a, j] / roots[a, j - 1])) / (LEGENDRE_ZEROS[j] - LEGENDRE_ZEROS[j - 1]) for j in there])
        decay = median([abs(log(abs(roots[a, j]))) for j in there])
        size2 = sum(j -> WEIGHTS[j] * strengths[a, j]^2, 1:POINTS)
        total += size2 * mean_wave_error(turn, half * rate, half * decay)^2
    end
    return sqrt(total)
end

median(x) = sort!(x)[cld(length(x), 2)]

# Root mean square over r1 and, weighted by the pole's own decay, r2.
function mean_wave_error(turn, turn2, decay)
    turn + turn2 < 6 && return 0.0
    n = 16
    total = whole = 0.0
    for b in 1:n
        y = (2b - 1) / 2n
        weight = exp(-2decay * y)
        whole += 2n * weight
        for a in 1:n
            x = (2a - 1 - n) / n
            total += weight * (wave_error(turn * x + turn2 * y)^2 + wave_error(turn * x - turn2 * y)^2)
        end
    end
    return sqrt(total / whole)
end

const NARROWEST = 1 / 32        # piece of a panel
const WIDEST = 3 / 4            # what makes the error may be no pinch

# Pieces as long as the pinches allow for an error of the share, then for the least error that as many of them allow.
function cuts(::DensePath, p::Panel, share, half)
    isfinite(share) || return halves(p)
    ends = stretches(p, share, half)
    length(ends) == 2 && return ends
    low, high = 0.0, 1.0
    for _ in 1:6
        part = (low + high) / 2
        shorter = stretches(p, share * part^4, half)
        length(shorter) <= length(ends) ? ((ends, high) = (shorter, part)) : (low = part)
    end
    return ends
end

function stretches(p::Panel, share, half)
    too_much(a, b) = DENSE_SAFETY * foreseen_error(p.pinches, p.first, p.last, a, b, half) > share
    ends, a, least = Float64[], p.first, NARROWEST * width(p)
    while a < p.last
        b = min(p.last, a + WIDEST * width(p))
        if b - a > least && too_much(a, b)
            low, high = a + least, b
            for _ in 1:7
                middle = (low + high) / 2
                too_much(a, middle) ? (high = middle) : (low = middle)
            end
            b = low
        end
        p.last - b < least && (b = p.last)
        push!(ends, b)
        a = b
    end
    return ends
end
