# Run with --output-o: writes Julia's system image with the kernel and all that the workload compiles.
# ARGS[1] is the path of libfftw3, which the image does not keep.

Base.init_depot_path()
Base.init_load_path() # the project is the kernel's

module Build
import GapScope
Base.include(Build, joinpath(@__DIR__, "workload.jl"))
GapScope.FFTW.unload()
end
