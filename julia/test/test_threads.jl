@testset "every range is worked on once" begin
    seen = zeros(Int, 103)
    GapScope.foreach_chunk(() -> nothing, 103, 10) do _, range
        seen[range] .+= 1
    end
    @test all(==(1), seen)
end

@testset "an error in a task reaches the caller" begin
    work(_, range) = 50 in range ? throw(DomainError(50)) : nothing
    @test_throws DomainError GapScope.foreach_chunk(work, () -> nothing, 100, 7)
end
