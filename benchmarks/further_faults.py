"""Further faults for ``planted_faults.py``: name, file, text, what it becomes, tests.

They are in what came later: inference, verdicts, instruments, readers, continuum maps, the page.
"""

from __future__ import annotations

INFERENCE = "python/gapscope/inference/"
UNCERTAINTY = "python/gapscope/learning/uncertainty/"
INSTRUMENT = "python/gapscope/instrument/"
READERS = "python/gapscope/measured/readers/"
SIMULATION = "python/gapscope/simulation/"
EXPLORE = "python/gapscope/explore/"

FURTHER = (
    (
        "Laplace's evidence with the determinant's sign turned",
        INFERENCE + "posterior/modes.py",
        "- log_determinant / 2)",
        "+ log_determinant / 2)",
        "tests/inference/test_inference_numbers.py",
    ),
    (
        "noise's variance for twice of it",
        INFERENCE + "posterior/noise.py",
        "(constant - squares / (2 * self.level**2))",
        "(constant - squares / self.level**2)",
        "tests/inference/test_posterior_parts.py",
    ),
    (
        "evidence over the points inside alone",
        INFERENCE + "posterior/importance.py",
        "np.log(sum(self.counts) * self._inner)",
        "np.log(len(self.points) * self._inner)",
        "tests/inference/test_importance.py",
    ),
    (
        "response with the other sign",
        INFERENCE + "posterior/response.py",
        "weighted = (-weights / np.pi)",
        "weighted = (weights / np.pi)",
        "tests/inference/test_posterior_parts.py",
    ),
    (
        "cheap coordinates drawn as if outer ones were at their mean",
        INFERENCE + "posterior/mixture.py",
        "np.sqrt((FREEDOM + distance) / (FREEDOM + outer))",
        "np.sqrt(FREEDOM / (FREEDOM + outer) + 0 * distance)",
        "tests/inference/test_importance.py",
    ),
    (
        "residual's square over the map",
        INFERENCE + "posterior/residual.py",
        "deviation / forward.size,",
        "deviation**2 / forward.size,",
        "tests/inference/test_inference_numbers.py",
    ),
    (
        "step of a logarithmic unknown in its unit",
        INFERENCE + "posterior/cube.py",
        "difference(u) / u.span",
        "difference(u) / (u.high - u.low)",
        "tests/inference/test_inference_numbers.py",
    ),
    (
        "entropy in bits",
        INFERENCE + "design/gain.py",
        "np.maximum(-xlogy(probability, probability).sum(axis=-1), 0.0)",
        "np.maximum(-xlogy(probability, probability).sum(axis=-1) / np.log(2), 0.0)",
        "tests/inference/test_design_parts.py",
    ),
    (
        "slopes over one step for two",
        INFERENCE + "design/linear.py",
        "change.swapaxes(0, 1) / (2 * STEP)",
        "change.swapaxes(0, 1) / STEP",
        "tests/inference/test_inference_numbers.py",
    ),
    (
        "time by the noise and not its square",
        INFERENCE + "design/result.py",
        "* one.quieter**2",
        "* one.quieter",
        "tests/inference/test_inference_numbers.py",
    ),
    (
        "noise over the map's size for noise",
        INFERENCE + "design/ask.py",
        "np.maximum(left * size, level)",
        "np.maximum(left, level)",
        "tests/inference/test_inference_numbers.py",
    ),
    (
        "magnetic defect along x",
        INFERENCE + "design/linear.py",
        "zip((0, 3), inner.T",
        "zip((0, 1), inner.T",
        "tests/inference/test_inference_numbers.py",
    ),
    (
        "distance of energies in meV for gaps",
        INFERENCE + "design/candidates.py",
        "> APART * gap",
        "> APART",
        "tests/inference/test_inference_numbers.py",
    ),
    (
        "quantile of n scores for n + 1",
        UNCERTAINTY + "conformal.py",
        "round((len(scores) + 1) * level, 9)",
        "round(len(scores) * level, 9)",
        "tests/learning/test_conformal.py",
    ),
    (
        "interval of a logarithmic unknown as a difference",
        UNCERTAINTY + "intervals.py",
        "return values * np.exp(-width), values * np.exp(width)",
        "return values - width, values + width",
        "tests/learning/test_conformal.py",
    ),
    (
        "logits times the temperature",
        UNCERTAINTY + "temperature.py",
        "_softmax(_logits(probability) / temperature)",
        "_softmax(_logits(probability) * temperature)",
        "tests/learning/test_temperature.py",
    ),
    (
        "impurity at minus its place",
        UNCERTAINTY + "centre.py",
        "(int(steps[first]), int(steps[second]))",
        "(-int(steps[first]), -int(steps[second]))",
        "tests/learning/test_even_about.py",
    ),
    (
        "scan angle with the other sign",
        INSTRUMENT + "scan.py",
        '"scan_angle": -field.angle',
        '"scan_angle": field.angle',
        "tests/measured_simulation/test_simulated_scan.py",
    ),
    (
        "topograph by exp(-kappa z)",
        INSTRUMENT + "setpoint.py",
        "(2 * DECAY * np.sqrt(barrier))",
        "(DECAY * np.sqrt(barrier))",
        "tests/measured_simulation/test_setpoint_effect.py",
    ),
    (
        "shear of y along x",
        INSTRUMENT + "distortion.py",
        "[[self.scale[0], self.shear], [0.0, self.scale[1]]]",
        "[[self.scale[0], 0.0], [self.shear, self.scale[1]]]",
        "tests/measured_simulation/test_scan_distortion.py",
    ),
    (
        "rms modulation taken for its amplitude",
        INSTRUMENT + "resolution.py",
        "/ 3 + modulation**2 / 2",
        "/ 3 + modulation**2 / 4",
        "tests/measured_simulation/test_energy_resolution.py",
    ),
    (
        "flicker noise with a power 1/f^2",
        INSTRUMENT + "scan_noise.py",
        "factors = f**-0.5",
        "factors = f**-1.0",
        "tests/measured_simulation/test_scan_noise.py",
    ),
    (
        "Igor's axes exchanged where they are turned",
        READERS + "igor.py",
        "[:: _sign(steps[1]), :: _sign(steps[0])]",
        "[:: _sign(steps[0]), :: _sign(steps[1])]",
        "tests/measured/test_readers.py",
    ),
    (
        "NanoScope's sensitivity per mV for per V",
        READERS + "nanoscope.py",
        "each *= MILLIVOLTS[unit] / MILLIVOLTS[per]",
        "each *= MILLIVOLTS[per] / MILLIVOLTS[unit]",
        "tests/measured/test_nanoscope.py",
    ),
    (
        "bias of the tip for that of the sample",
        READERS + "scala.py",
        '{"SAMPLE": 1.0, "TIP": -1.0}',
        '{"SAMPLE": -1.0, "TIP": 1.0}',
        "tests/measured/test_scala.py",
    ),
    (
        "qx, qy of continuum maps in 1/a",
        SIMULATION + "continuum/maps.py",
        "lattice.momentum(_mesh(momentum)) / lattice.constant",
        "lattice.momentum(_mesh(momentum))",
        "tests/kernel/test_continuum.py",
    ),
    (
        "tip of a p orbital without its decay",
        SIMULATION + "continuum/tip.py",
        "_derivative(functions.at, points, axis) / tip.decay",
        "_derivative(functions.at, points, axis)",
        "tests/continuum",
    ),
    (
        "G(-r) not transposed for continuum maps",
        SIMULATION + "continuum/density.py",
        "green[::-1, ::-1].swapaxes(-1, -2)",
        "green[::-1, ::-1]",
        "tests/kernel/test_continuum.py",
    ),
    (
        "T-matrix with V on the other side",
        "python/gapscope/physics/scattering.py",
        "np.linalg.solve((np.eye(count * d) - g @ v).T, v.T).T",
        "np.linalg.solve(np.eye(count * d) - g @ v, v)",
        "tests/kernel/test_green.py",
    ),
    (
        "density of states of Green's functions without 1/pi",
        "python/gapscope/dataset/compute.py",
        "dos[row] = -np.trace(local, axis1=1, axis2=2).imag / np.pi",
        "dos[row] = -np.trace(local, axis1=1, axis2=2).imag",
        "tests/dataset/test_greens.py",
    ),
    (
        "A(k) averaged over other points than a pixel's",
        EXPLORE + "momentum.py",
        "values[strip] = spectral[middle:].reshape(-1, quality.samples**2).mean(axis=1)",
        "values[strip] = spectral[middle:].reshape(quality.samples**2, -1).mean(axis=0)",
        "tests/explore/test_explore_state.py",
    ),
    (
        "Fermi surface transposed on the page",
        EXPLORE + "momentum.py",
        "contour_generator(x, x, band.T)",
        "contour_generator(x, x, band)",
        "tests/explore/test_explore_state.py",
    ),
)
