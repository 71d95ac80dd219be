"""The only code that knows Julia: runtimes, host process, arrays in, arrays out."""
