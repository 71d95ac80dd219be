# Type inference ahead of time for what every session runs: batches of maps of one-band materials
# with bonds up to the fourth row (degree 4, as NbSe2), by each of the solvers.
function precompile_kernel()
    batch = (Array{ComplexF64,4}, Matrix{Float64}, Array{ComplexF64,4})
    one_array = (Matrix{Int}, Array{ComplexF64,3}, Vector{Int})
    impurities = (Matrix{Int}, Vector{Int}, one_array..., Vector{Int})
    sets = (one_array..., impurities..., Vector{Float64}, Float64)
    precompile(Host.grid_maps, (batch..., sets..., Int))
    precompile(Host.converged_maps, (batch..., Array{Float64,3}, sets..., Float64, Int))
    precompile(converged_maps, (Bonds, Scatterers, ComplexF64, Int, Float64, Int))
    pairs = [ComplexPair{4,real_gap,whole} for real_gap in (true, false), whole in (false, true)]
    for solver in (RealPair{4}, pairs..., DensePath)
        precompile(transform_rows, (Bonds, solver, ComplexF64, Grid, Tables, Int))
        precompile(elements, (solver, ComplexF64))
        precompile(local_elements, (solver, Vector{Float64}))
        precompile(RowIntegral, (solver, Bonds, ComplexF64, Int))
        integral = RowIntegral{solver,solver === DensePath ? Float32 : Float64}
        precompile(refine!, (integral, Float64, Int))
        precompile(measure!, (integral,))
        foreach(fields -> precompile(window_sums, (integral, fields, Vector{Int})), (Vector{Int}, Base.OneTo{Int}))
    end
end
precompile_kernel()
