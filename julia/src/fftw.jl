"""
Batched one-dimensional transforms by libfftw3, loaded at run time from a path.

Plans use FFTW_ESTIMATE alone: measured plans may differ from run to run, and with them the last bits.
"""
module FFTW

using Libdl

const ESTIMATE = Cuint(1 << 6)
const BACKWARD = Cint(1)
const ALIGNMENT = 64

const library = Ref{Ptr{Cvoid}}(C_NULL)
const planning = ReentrantLock()
const plans = Dict{Tuple{Symbol,Int,Int},Ptr{Cvoid}}()

"""
    load(path)

Open libfftw3 (double precision).
"""
function load(path::AbstractString)
    library[] = Libdl.dlopen(path)
    return nothing
end

"""
    unload()

Forget the library and its plans: their addresses are this process's.
"""
function unload()
    empty!(plans)
    library[] = C_NULL
    return nothing
end

function symbol(name::Symbol)
    library[] == C_NULL && error("libfftw3 is not loaded: call GapScope.FFTW.load(path) first")
    return Libdl.dlsym(library[], name)
end

"""
    aligned(T, dims...)

Uninitialised array whose first element lies on a 64-byte boundary, as the plans assume.
"""
function aligned(::Type{T}, dims::Integer...) where {T}
    padded = Vector{T}(undef, prod(dims) + ALIGNMENT ÷ sizeof(T))
    skipped = mod(-Int(UInt(pointer(padded))), ALIGNMENT) ÷ sizeof(T)
    return reshape(view(padded, (skipped + 1):(skipped + prod(dims))), dims...)
end

"""
    forward_real(n, count)

Plan for `count` transforms X[k] = sum_j exp(-2 pi i j k / n) x[j] of real columns of length n; the
columns of the result have n/2 + 1 elements.
"""
function forward_real(n::Integer, count::Integer)
    return plan(:real, n, count) do
        input, output = aligned(Float64, n, count), aligned(ComplexF64, n ÷ 2 + 1, count)
        GC.@preserve input output ccall(
            symbol(:fftw_plan_many_dft_r2c),
            Ptr{Cvoid},
            (Cint, Ref{Cint}, Cint, Ptr{Float64}, Ptr{Cint}, Cint, Cint, Ptr{ComplexF64}, Ptr{Cint}, Cint, Cint, Cuint),
            1, Cint(n), count, pointer(input), C_NULL, 1, n, pointer(output), C_NULL, 1, n ÷ 2 + 1, ESTIMATE,
        )
    end
end

"""
    backward_complex(n, count)

Plan for `count` in-place transforms X[k] = sum_j exp(+2 pi i j k / n) x[j] of columns of length n.
"""
function backward_complex(n::Integer, count::Integer)
    return plan(:complex, n, count) do
        data = aligned(ComplexF64, n, count)
        GC.@preserve data ccall(
            symbol(:fftw_plan_many_dft),
            Ptr{Cvoid},
            (Cint, Ref{Cint}, Cint, Ptr{ComplexF64}, Ptr{Cint}, Cint, Cint, Ptr{ComplexF64}, Ptr{Cint}, Cint, Cint, Cint, Cuint),
            1, Cint(n), count, pointer(data), C_NULL, 1, n, pointer(data), C_NULL, 1, n, BACKWARD, ESTIMATE,
        )
    end
end

# Planning is not thread-safe in FFTW; executing a plan on new arrays is.
function plan(make, kind::Symbol, n::Integer, count::Integer)
    lock(planning) do
        get!(plans, (kind, Int(n), Int(count))) do
            made = make()
            made == C_NULL && error("FFTW cannot plan $count transforms of length $n")
            made
        end
    end
end

"""
    Real(n, count), Complex(n, count)

A plan with the address of the function that executes it.
"""
struct Transform
    plan::Ptr{Cvoid}
    execute::Ptr{Cvoid}
end
real_rows(n, count) = Transform(forward_real(n, count), symbol(:fftw_execute_dft_r2c))
complex_columns(n, count) = Transform(backward_complex(n, count), symbol(:fftw_execute_dft))

"""
    transform!(output, input, t)

Execute a plan on arrays made by `aligned`.
"""
function transform!(output, input, t::Transform)
    GC.@preserve output input ccall(
        t.execute, Cvoid, (Ptr{Cvoid}, Ptr{Cvoid}, Ptr{Cvoid}), t.plan, pointer(input), pointer(output)
    )
    return output
end

end
