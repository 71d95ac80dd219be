"""
    foreach_chunk(work!, workspace, n, size)

Call `work!(w, range)` for consecutive ranges of at most `size` out of `1:n` on all threads.

Each task owns one `w = workspace()`. Which task takes which range is left to chance, so `work!` may
write only to places that belong to its range: then the result does not depend on the threads.
An error in a task is thrown to the caller.
"""
function foreach_chunk(work!, workspace, n::Integer, size::Integer)
    chunks = cld(n, size)
    next = Threads.Atomic{Int}(1)
    tasks = map(1:min(Threads.nthreads(), chunks)) do _
        Threads.@spawn begin
            w = workspace()
            while true
                chunk = Threads.atomic_add!(next, 1)
                chunk > chunks && break
                work!(w, ((chunk - 1) * size + 1):min(chunk * size, n))
            end
        end
    end
    for task in tasks
        try
            wait(task)
        catch error
            error isa TaskFailedException || rethrow()
            throw(error.task.exception)
        end
    end
end
