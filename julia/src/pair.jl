# One electron and one hole: z - H = [z - a, -D; -D^*, z - b] is inverted in closed form,
#   G_ee = (z - b) / det,  G_hh = (z - a) / det,  G_eh = D / det,  G_he = D^* / det,
#   det = (z - a)(z - b) - |D|^2.
# Fields are real functions of k: their transforms cost half of complex ones, and only half of the
# window is needed.

"""
    RealPair

b = -a and D = exp(i chi) p with real p at z = i delta: det = -(delta^2 + a^2 + p^2) is real, and three
real fields 1/det, a/det, p/det hold everything.
"""
struct RealPair{H}
    a::Element
    p::Element
    chi::ComplexF64
end

"""
    ComplexPair{H,RealGap,Whole}

Fields: real and imaginary parts of G_ee, of Re(D')/det, unless D' = exp(-i chi) D is real of Im(D')/det, and
where the whole of G(r) is wanted of G_hh, otherwise needed at r = 0 only.
"""
struct ComplexPair{H,RealGap,Whole}
    a::Element
    b::Element
    d::Element
    chi::ComplexF64
end

"""
    pair_solver(bonds, block, z, whole)

Closed-form solver of a 2 x 2 block, with the real one where the physics allows it.
"""
function pair_solver(bonds::Bonds, block::Vector{Int}, z::Complex, whole::Bool)
    e, h = block
    degree = harmonic_range(bonds)
    a, b, d = Element(bonds, e, e), Element(bonds, h, h), Element(bonds, e, h)
    chi = real_gauge(bonds, e, h)
    chi === nothing && return ComplexPair{degree,false,whole}(a, b, d, 1)
    turned = Element(d.vectors, d.amplitudes .* conj(chi))
    scale = maximum(abs, view(bonds.matrices, e, e, :))
    opposite = maximum(abs, bonds.matrices[e, e, :] .+ bonds.matrices[h, h, :]) <= ROUNDING * scale
    iszero(real(z)) && opposite && return RealPair{degree}(a, turned, chi)
    return ComplexPair{degree,true,whole}(a, b, turned, chi)
end

# A phase that makes D(k) real at every k, D_{-R} = D_R^* after the turn; nothing where none does.
function real_gauge(bonds::Bonds, e::Integer, h::Integer)
    amplitudes = view(bonds.matrices, e, h, :)
    largest, n = findmax(abs.(amplitudes))
    largest > 0 || return complex(1.0)
    mirrored = Dict(
        (-bonds.vectors[1, k], -bonds.vectors[2, k]) => amplitudes[k] for k in eachindex(amplitudes)
    )
    partner(k) = get(mirrored, (bonds.vectors[1, k], bonds.vectors[2, k]), 0.0im)
    product = amplitudes[n] * partner(n) # exp(2 i chi) |D_R|^2
    abs(product) > 0 || return nothing
    chi = sqrt(product / abs(product))
    turned_real(k) = abs(amplitudes[k] * conj(chi) - conj(partner(k) * conj(chi))) <= ROUNDING * largest
    return all(turned_real, eachindex(amplitudes)) ? chi : nothing
end

field_count(::RealPair) = 3
field_count(::ComplexPair{H,RealGap,Whole}) where {H,RealGap,Whole} = (RealGap ? 4 : 6) + (Whole ? 2 : 0)
local_count(::RealPair) = 0
local_count(::ComplexPair) = 2

workspace(::Union{RealPair{H},ComplexPair{H}}) where {H} = zeros(ComplexF64, 2H + 1)

"""
    row!(fields, sums, solver, harmonics, z, phases, tables)

Fields on the n points of the row of the phases, n x field_count, and sums over the row of what is needed
at r = 0 only.
"""
function row!(fields, sums, solver::RealPair{H}, harmonics, z, phases, tables) where {H}
    a = real_part(harmonics!(harmonics, solver.a, phases), Val(H))
    p = real_part(harmonics!(harmonics, solver.p, phases), Val(H))
    real_row!(fields, a, p, imag(z)^2, tables.cosine, tables.sine)
    return nothing
end

function real_row!(fields, a, p, delta2, cosine, sine)
    @inbounds @simd ivdep for j in axes(fields, 1)
        aj, pj = value(a, cosine, sine, j), value(p, cosine, sine, j)
        inverse = -1 / muladd(aj, aj, muladd(pj, pj, delta2))
        fields[j, 1] = inverse
        fields[j, 2] = aj * inverse
        fields[j, 3] = pj * inverse
    end
end

function row!(fields, sums, solver::ComplexPair{H,RealGap,Whole}, harmonics, z, phases, tables) where {H,RealGap,Whole}
    a = real_part(harmonics!(harmonics, solver.a, phases), Val(H))
    b = real_part(harmonics!(harmonics, solver.b, phases), Val(H))
    harmonics!(harmonics, solver.d, phases)
    d = (real_part(harmonics, Val(H)), imaginary_part(harmonics, Val(H)))
    shape = Val((RealGap, Whole))
    sums[1], sums[2] = complex_row!(fields, a, b, d, real(z), imag(z), tables.cosine, tables.sine, shape)
    return nothing
end

function complex_row!(fields, a, b, d, w, delta, cosine, sine, ::Val{Shape}) where {Shape}
    RealGap, Whole = Shape
    hr, hi = 0.0, 0.0
    @inbounds @simd ivdep for j in axes(fields, 1)
        x, y = w - value(a, cosine, sine, j), w - value(b, cosine, sine, j)
        dr = value(d[1], cosine, sine, j)
        di = RealGap ? 0.0 : value(d[2], cosine, sine, j)
        # det = (x + i delta)(y + i delta) - |D|^2
        detr = muladd(x, y, -muladd(delta, delta, muladd(dr, dr, di * di)))
        deti = delta * (x + y)
        scale = 1 / muladd(detr, detr, deti * deti)
        ir, ii = detr * scale, -deti * scale
        fields[j, 1] = muladd(y, ir, -delta * ii)
        fields[j, 2] = muladd(y, ii, delta * ir)
        fields[j, 3] = dr * ir
        fields[j, 4] = dr * ii
        if !RealGap
            fields[j, 5] = di * ir
            fields[j, 6] = di * ii
        end
        gr, gi = muladd(x, ir, -delta * ii), muladd(x, ii, delta * ir)
        if Whole
            fields[j, RealGap ? 5 : 7] = gr
            fields[j, RealGap ? 6 : 8] = gi
        end
        hr += gr
        hi += gi
    end
    return hr, hi
end

"""
    elements(solver, z)

How the block's Green's function follows from the fields F_f: (i, j) => [(f, c_f), ...] means
G_ij(r) = sum_f c_f F_f(r); electrons first. Elements that are not transformed are in `local_elements`.
"""
function elements(solver::RealPair, z)
    chi = solver.chi
    return Dict(
        (1, 1) => [(1, z), (2, 1.0 + 0im)], (1, 2) => [(3, chi)],
        (2, 1) => [(3, conj(chi))], (2, 2) => [(1, z), (2, -1.0 + 0im)],
    )
end

function elements(solver::ComplexPair{H,RealGap,Whole}, z) where {H,RealGap,Whole}
    chi, i = solver.chi, 1.0im
    ee = [(1, 1.0 + 0im), (2, i)]
    eh, he = [(3, chi), (4, chi * i)], [(3, conj(chi)), (4, conj(chi) * i)]
    if !RealGap # D = chi (Dr + i Di)
        append!(eh, [(5, chi * i), (6, -chi)])
        append!(he, [(5, -conj(chi) * i), (6, conj(chi))])
    end
    parts = Dict((1, 1) => ee, (1, 2) => eh, (2, 1) => he)
    Whole && (parts[2, 2] = [(RealGap ? 5 : 7, 1.0 + 0im), (RealGap ? 6 : 8, i)])
    return parts
end

"""
    local_elements(solver, sums)

Brillouin-zone averages of the elements that are not transformed, from the row sums.
"""
local_elements(::RealPair, sums) = Dict{Tuple{Int,Int},ComplexF64}()
local_elements(::ComplexPair, sums) = Dict((2, 2) => complex(sums[1], sums[2]))
