# The density of states to an accuracy: the same rows and panels as maps, for G at r = 0 alone. A row is exact by the
# poles of G whatever the number of its samples, so that few are needed.

const STATE_SAMPLES = 64
# Panels whose last coefficients exceed this part of what a panel may err by are halved before a result is believed.
const PROBED = 0.1
# At looser accuracies the estimate is sometimes below the error: they are not worth the rows they would save.
const LOOSEST = 0.005

# One panel next to a singularity that no node sees may hold nearly all of the error, and its estimate then falls short
# by up to 1.5 in 2 of 1000 states (benchmarks/states.py); in a map many panels make up for each other.
const DOUBT = 2.0

"""
    converged_dos(bonds, z, accuracy, budget)

Density of states -(1/pi) Im Tr_e g0 at z to a relative accuracy, with the estimate of its relative error, the number
of rows, whether the accuracy was reached, and what each electron component holds of it.

The errors of the panels are added as if all had one sign, and what looks converged is put to the test: panels whose
last coefficients do not vanish are halved, and the change that this makes counts as an error too. `budget` is the
largest number of rows of a block.
"""
function converged_dos(bonds::Bonds, z::Complex, accuracy::Real, budget::Integer)
    shares = [state_share(bonds, family, z) for family in families(bonds) if holds_electrons(bonds, family)]
    aim = min(accuracy, LOOSEST)
    rows() = sum(share -> share.integral.rows, shares)
    answer(dos, error, reached) = dos / pi, error / dos, rows(), reached, components(shares, electrons(bonds)) ./ pi
    while true
        dos, error = sum(states, shares), sum(states_error, shares)
        allowed = aim * dos / sum(share -> length(share.integral.panels), shares)
        spent = all(share -> share.integral.rows >= budget, shares)
        isfinite(error) && !spent || return answer(dos, error, error <= accuracy * dos)
        if error > aim * dos
            foreach(share -> halve!(share, error_of, allowed / 2, budget), shares)
        else
            moved = sum(share -> halve!(share, p -> width(p) * p.tail, allowed * PROBED, budget), shares)
            dos, error = sum(states, shares), max(moved, sum(states_error, shares))
            error <= aim * dos && return answer(dos, error, true)
        end
    end
end

"""
    StateShare

What the blocks of one family hold of -Im Tr_e g0: a sum over the fields of the integral, times the blocks' number.
`own` (fields x electrons of a block) holds the weights of each diagonal element, `parts` those of their sum. `blocks`
counts mirror images, too: diagonal elements at r = 0 are equal.
"""
struct StateShare{I}
    integral::I
    family::Family
    own::Matrix{Float64}
    parts::Vector{Float64}
    blocks::Int
end

# A gap for one spin alone leaves blocks of holes.
holds_electrons(bonds::Bonds, family::Family) = any(<=(electrons(bonds)), family.block)

function state_share(bonds::Bonds, family::Family, z::Complex)
    solver = block_solver(bonds, family.block, z, false)
    ne = count(<=(electrons(bonds)), family.block)
    own, parts = zeros(field_count(solver), ne), zeros(field_count(solver))
    of_g = elements(solver, z)
    for i in 1:ne, (f, c) in of_g[i, i]
        own[f, i] -= imag(c) # the fields are real
        parts[f] -= imag(c)
    end
    # The norm over n fields bounds their sum times 1 / sqrt(n).
    weights = abs.(parts) .* sqrt(count(!iszero, parts))
    integral = RowIntegral(solver, bonds, z, 0, STATE_SAMPLES, weights)
    return StateShare(integral, family, own, parts, images(integral) * (1 + length(family.twins)))
end

states(share::StateShare) = share.blocks * sum(p -> width(p) * panel_states(share, p), share.integral.panels)

panel_states(share::StateShare, p::Panel) =
    sum(share.parts[f] * WEIGHTS[j] * real(p.values[1, f, j]) for f in eachindex(share.parts), j in eachindex(WEIGHTS))

# -Im g0_ee of every electron component e. Blocks come with their electrons first, and twins with equal diagonals.
function components(shares, ne::Integer)
    found = zeros(ne)
    for share in shares
        integral = share.integral
        for i in axes(share.own, 2)
            value = sum(integral.panels) do p
                width(p) * sum(share.own[f, i] * WEIGHTS[j] * real(p.values[1, f, j]) for f in axes(share.own, 1), j in eachindex(WEIGHTS))
            end
            value *= images(integral)
            for block in [[share.family.block]; [twin.block for twin in share.family.twins]]
                found[block[i]] = value
            end
        end
    end
    return found
end

# Halve the panels whose share in the error exceeds what is allowed; returns what they change by.
function halve!(share::StateShare, error, allowed, budget)
    integral = share.integral
    chosen = [share.blocks * error(p) > allowed for p in integral.panels]
    integral.rows < budget && any(chosen) || return 0.0
    ends = [(p.first, p.last, width(p) * panel_states(share, p)) for p in integral.panels[chosen]]
    halve!(integral, chosen)
    halves = filter(p -> any(e -> e[1] <= p.first && p.last <= e[2], ends), integral.panels)
    pairs = zip(ends, Iterators.partition(halves, 2))
    return share.blocks * sum(abs(sum(p -> width(p) * panel_states(share, p), two) - e[3]) for (e, two) in pairs)
end

states_error(share::StateShare) = DOUBT * share.blocks * sum(error_of, share.integral.panels)

"""
    converged_dos!(dos, own, report, bonds, energies, broadening, accuracy, budget)

Density of states for every energy, and `own` (components x energies) what each electron component holds of it;
`report` is 3 x energies: relative error, number of rows, and whether the accuracy was reached.
"""
function converged_dos!(dos, own, report, bonds::Bonds, energies, broadening::Real, accuracy::Real, budget::Integer)
    for (e, w) in enumerate(energies)
        value, error, rows, reached, parts = converged_dos(bonds, complex(w, broadening), accuracy, budget)
        dos[e], own[:, e], report[:, e] = value, parts, [error, rows, reached]
    end
    return nothing
end
