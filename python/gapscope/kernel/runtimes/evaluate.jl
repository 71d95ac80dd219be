# The one door through which Python evaluates Julia, the same under every runtime.
module GapscopeEvaluate

# What `Threads.@threads` and `@sync` wrap around an error says nothing about it.
root(error, trace) = (error, trace)
root(error::LoadError, trace) = root(error.error, trace)
root(error::TaskFailedException, trace) = root(error.task.exception, error.task.backtrace)
root(error::CompositeException, trace) = root(first(error.exceptions), trace)

isours(frame) = frame.func in (:include_string, :eval, Symbol("top-level scope"), :evaluate)

function explain(error, trace)
    error, trace = root(error, trace)
    frames = stacktrace(trace)
    last = something(findfirst(isours, frames), length(frames) + 1) - 1
    lines = ["  at $(frame)" for frame in frames[1:min(last, 6)]]
    return join([sprint(showerror, error); lines], '\n')
end

# "=" and the value as text, or "!" and the error's message with its nearest stack frames.
function evaluate(code::AbstractString)
    try
        value = include_string(Main, code, "gapscope")
        return "=" * Base.invokelatest(string, value)
    catch error
        return "!" * Base.invokelatest(explain, error, catch_backtrace())
    end
end

end
