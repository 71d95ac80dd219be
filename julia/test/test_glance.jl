# A glance at a few rows of a map in place of the whole, and what is presented after it.

# Integrals with errors that a map shows, and what a map needs of them.
function rough(bonds, z, half, s; rounds = 1)
    known, wanted = GapScope.families(bonds), GapScope.touched(s, true)
    integrals = map(known) do f
        solver = GapScope.block_solver(bonds, f.block, z, true; wanted = GapScope.related(bonds, f, wanted))
        GapScope.RowIntegral(solver, bonds, z, half)
    end
    foreach(i -> foreach(_ -> GapScope.halve!(i, GapScope.error_of.(i.panels) .> 0), 1:rounds), integrals)
    return known, integrals
end

# Two blocks of four bands, one the other's time-reversed image.
function with_twin(bonds)
    d, m = GapScope.dimension(bonds), bonds.matrices
    order = [1:(d ÷ 2); d .+ (1:(d ÷ 2)); (d ÷ 2 + 1):d; d .+ ((d ÷ 2 + 1):d)]
    both = [[m[:, :, n] zeros(d, d); zeros(d, d) conj(m[:, :, n])][order, order] for n in axes(m, 3)]
    return GapScope.Bonds(bonds.vectors, cat(both...; dims = 3))
end

@testset "rows of a ladder stand for all rows, and more of them near the middle" begin
    for window in (16, 24, 64, 128, 200)
        weights = GapScope.ladder(window)
        rows = GapScope.window_rows(window)
        @test sum(weights[rows .>= 0]) == window ÷ 2
        @test weights[rows .== 0] == [1] && weights[rows .== 1] == [1] == weights[rows .== -1]
        @test 2count(weights .> 0) <= 4 * GapScope.COLUMNS
    end
    weights = GapScope.ladder(128)
    @test GapScope.window_rows(128)[weights .> 0] == [-51, -27, -14, -7, -4, -2, -1, 0, 1, 2, 4, 7, 14, 27, 51]
end

@testset "a few rows of a map are those of the whole: $name" for (name, bonds) in [
    ("mirror line with time reversal", mirrored_bonds("mirror line with time reversal")), ("none", mirrored_bonds("none")),
    ("a twin", with_twin(mirrored_bonds("inversion"))),
]
    z, window, d = 0.3 + 0.05im, 24, GapScope.dimension(bonds)
    v = Matrix{ComplexF64}(Diagonal([1.0; zeros(d ÷ 2 - 1); -1.0; zeros(d ÷ 2 - 1)]))
    s = GapScope.Scatterers([(0, 0), (2, -1)], cat(v, 0.5v; dims = 3))
    known, integrals = rough(bonds, z, 16, s; rounds = 0)
    @test (name == "a twin") == any(f -> !isempty(f.twins), known)
    weights = [r2 in (-9, -1, 0, 3) ? abs(r2) + 1 : 0 for r2 in GapScope.window_rows(window)]
    for both in (false, true), bytes in (0, GapScope.SLICE_BYTES)
        whole = GapScope.present_maps(bonds, known, integrals, s, window, both)
        few = GapScope.present_maps(bonds, known, integrals, s, window, both; weights = weights, bytes = bytes)
        for (a, b) in zip(whole, few)
            @test b.trace ≈ a.trace .* sqrt.(weights) rtol = 1e-12
            @test norm(b.trace) > 0
            @test b.g0 ≈ a.g0 rtol = 1e-12
        end
    end
end

@testset "a glance says what the error of a map is about: $name" for (name, bonds, z) in dense_states()
    window = 64
    known, integrals = rough(bonds, z, window ÷ 2, IMPURITY)
    glance = GapScope.glance_at_maps(bonds, known, integrals, IMPURITY, window, false)
    whole = maximum(GapScope.larger_error, GapScope.present_maps(bonds, known, integrals, IMPURITY, window, false))
    @test 0.7 < glance() / whole < 1.5
end

@testset "there is no glance where it would cost about as much as a map, or more than rows" begin
    bonds, z = dense_states()[1][2:3]
    apart = GapScope.Scatterers([(0, 0), (1, 9), (3, -14), (0, 17)], cat(fill(IMPURITY.potentials[:, :, 1], 4)...; dims = 3))
    known, integrals = rough(bonds, z, 56, apart; rounds = 0)
    @test GapScope.glance_at_maps(bonds, known, integrals, apart, 64, false) === nothing
    @test GapScope.glance_at_maps(bonds, known, integrals, IMPURITY, 64, false) !== nothing
    one_band = bdg(electrons(), singlet())
    known, integrals = rough(one_band, z, 32, IMPURITY; rounds = 0)
    @test GapScope.glance_at_maps(one_band, known, integrals, IMPURITY, 64, false) === nothing
end

@testset "a map is made once the glance is small enough, and its own error decides: times $times" for times in (1, 0.3)
    bonds, z, window, accuracy = dense_states()[2][2], dense_states()[2][3], 64, 0.002
    known, integrals = rough(bonds, z, window ÷ 2, IMPURITY; rounds = 0)
    glance = GapScope.glance_at_maps(bonds, known, integrals, IMPURITY, window, false)
    glances, errors = Float64[], Float64[]
    look() = (push!(glances, times * glance()); glances[end])
    function present()
        map, = GapScope.present_maps(bonds, known, integrals, IMPURITY, window, false)
        push!(errors, GapScope.larger_error(map))
        return map, errors[end]
    end
    map, rows, reached = GapScope.until_accurate(present, integrals, accuracy, 10^6; glance = look)
    @test reached && GapScope.larger_error(map) == errors[end] <= accuracy
    @test all(errors[1:(end - 1)] .> accuracy)
    @test glances[1] > accuracy # of the first panels
    @test length(glances) > length(errors)
    times == 1 && @test length(errors) == 1
    times < 1 && @test length(errors) == 2
end

@testset "of large blocks the fewest panels are improved, by what their errors are expected to be" begin
    bonds, z = dense_states()[2][2:3]
    known, integrals = rough(bonds, z, 16, IMPURITY; rounds = 0)
    integral = integrals[1]
    GapScope.measure_panels!(integral, [2, 5])
    expected, errors = GapScope.expected_errors(integral), GapScope.error_of.(integral.panels)
    @test expected[[2, 5]] == errors[[2, 5]]
    @test expected[[1, 3, 4]] ≈ errors[[1, 3, 4]] ./ 4
    errors, down = [0.1, 8.0, 0.3, 1.0, 2.0, 0.2], 0.2
    left = GapScope.largest_left(integral, errors, down, 0.0)
    @test left == 1.0 # 1.07 is left where 1.17 may be
    @test GapScope.largest_left(integral, errors, 1e-3, 0.0) == 0
    pairs = rough(bdg(electrons(), singlet()), z, 16, IMPURITY; rounds = 0)[2][1]
    @test GapScope.largest_left(pairs, errors, down, 0.05) == 0.05
    @test GapScope.expected_errors(pairs) == GapScope.error_of.(pairs.panels)
end
