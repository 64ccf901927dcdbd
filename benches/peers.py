#!/usr/bin/env python3
"""Milliseconds a step of other programs on ScoreScope's workload, and of ScoreScope in the same run.

The workload: half moons of N points scaled to unit variance, K circles of variance 0.09 around the first K points, full
covariances with a floor of 1e-4, θ = (logits, means, log-Cholesky factors), Adam. The algorithms: EM, gradient descent
on the negative log-likelihood (nll), exact score matching, mean of tr ∇s + ½‖s‖² (sm), and sliced score matching with
reduced variance and one fresh Rademacher slice v a point, mean of vᵀ∇s v + ½‖s‖² (ssm).

The peers, in float32 apart from scikit-learn (whose rows are one E-step and one M-step):

    torch-thesis   PyTorch distributions; the score by autograd with create_graph, its slope by autograd of the score
    torch          PyTorch, score and slope in closed form, autograd for θ only
    torch-compile  the same under torch.compile (needs a C++ compiler)
    jax            JAX, closed form, a whole step in one jit
    jax-auto       JAX, score by jax.grad, slope by jax.jacfwd or jax.jvp
    sklearn        scikit-learn's GaussianMixture

Install and run, for instance:

    python3 -m venv /tmp/peers-venv
    /tmp/peers-venv/bin/pip install numpy torch jax scikit-learn
    cargo build --release
    /tmp/peers-venv/bin/python benches/peers.py --ours target/release/scorescope

A peer that is not installed is left out. First every peer's losses are compared with ScoreScope's (`objective` of
`scorescope bench --json`, the same points and start) and with tests/reference/golden.json: what is timed together
computes the same thing. Then they take turns: each round measures ScoreScope and ten steps of every peer from the start.
Times are the best of all rounds, as are their ratios; `--median` takes medians instead. ScoreScope computes in float64.
"""

import argparse
import importlib.util
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

ALGORITHMS = ["em", "nll", "sm", "ssm"]
FLOOR = 1e-4
VARIANCE = 0.09
LEARNING_RATE = 0.03
STEPS_PER_ROUND = 10
WARM_UP_STEPS = 3
OURS = "scorescope"
GOLDEN = Path(__file__).parent.parent / "tests" / "reference" / "golden.json"


def main():
    arguments = parse_arguments()
    use_threads(arguments.threads)
    import numpy as np

    rng = np.random.default_rng(0)
    moons = half_moons(rng, arguments.n)
    points = (moons - moons.mean(0)) / moons.std(0)
    peers = installed(arguments.peers)
    check_against_golden(peers)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "moons.npy")
        np.save(path, moons)
        for k in arguments.k:
            rows += (of_k := measure(arguments, peers, points, path, k))
            for row in of_k if arguments.json else []:
                print(json.dumps(row), flush=True)
    if not arguments.json:
        print(table(arguments, rows))
        if arguments.ours:
            print(ratios(arguments, rows))


def parse_arguments():
    numbers = lambda text: [int(number) for number in text.split(",")]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ours", metavar="PATH", help="the scorescope program, to measure beside the peers")
    parser.add_argument("--k", type=numbers, default=[10, 24, 100], help="numbers of components")
    parser.add_argument("--n", type=int, default=10_000, help="number of points")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3, help=f"{STEPS_PER_ROUND} steps each")
    parser.add_argument("--peers", type=lambda text: text.split(","), default=list(PEERS), help="only these")
    parser.add_argument("--median", action="store_true", help="medians instead of best times")
    parser.add_argument("--json", action="store_true", help="one object a row instead of tables")
    return parser.parse_args()


def use_threads(count):
    """Before any library is loaded: most decide at their start how many threads they use."""
    for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]:
        os.environ[name] = str(count)
    os.environ["JAX_PLATFORMS"] = "cpu"
    if hasattr(os, "sched_setaffinity"):  # JAX has no other knob.
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < count:
            sys.exit(f"peers.py: {count} threads need as many cores, and there are {len(cores)}: try --threads")
        os.sched_setaffinity(0, cores[:count])


def half_moons(rng, n):
    """As scikit-learn's make_moons with noise 0.1, upper and lower at random."""
    import numpy as np

    angle = np.pi * rng.random(n)
    upper = np.stack([np.cos(angle), np.sin(angle)], 1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], 1)
    return np.where(rng.random((n, 1)) < 0.5, upper, lower) + 0.1 * rng.normal(size=(n, 2))


def start_at(points, k):
    """θ of circles around the first K points: logits K, means K × 2, [log L₁₁, L₂₁, log L₂₂] K × 3."""
    import numpy as np

    log_radius = 0.5 * math.log(VARIANCE - FLOOR)
    factors = np.tile([log_radius, 0.0, log_radius], (k, 1))
    return np.full(k, -math.log(k)), points[:k].copy(), factors


# The closed forms, for any library with arrays. Shapes: N points × K components.


def closed_forms(xp):
    """Losses of (θ, points, slices, floor), by the algorithm's name, and EM's step, from an array library's functions."""

    def mixture(theta, floor):
        """Log weights, means, covariances (entries 11, 12, 22) and their determinants, which do not cancel here."""
        logits, means, factors = theta
        l11, l21, l22 = xp.exp(factors[:, 0]), factors[:, 1], xp.exp(factors[:, 2])
        squares = l11 * l11, l21 * l21, l22 * l22
        entries = squares[0] + floor, l11 * l21, squares[1] + squares[2] + floor
        determinant = squares[0] * squares[2] + floor * (sum(squares) + floor)
        return logits - xp.logsumexp(logits, 0), means, entries, determinant

    def fields(of, x):
        """log πₖN(x|µₖ, Σₖ), the components' scores g, and Σ⁻¹."""
        log_weights, means, (s11, s12, s22), determinant = of
        p11, p12, p22 = s22 / determinant, -s12 / determinant, s11 / determinant
        dx, dy = x[:, :1] - means[:, 0], x[:, 1:] - means[:, 1]
        gx, gy = -(p11 * dx + p12 * dy), -(p12 * dx + p22 * dy)
        log_scale = log_weights - math.log(2 * math.pi) - 0.5 * xp.log(determinant)
        return log_scale + 0.5 * (gx * dx + gy * dy), gx, gy, (p11, p12, p22)

    def nll(theta, x, v, floor):
        a, *_ = fields(mixture(theta, floor), x)
        return -xp.logsumexp(a, 1).mean()

    def sm(theta, x, v, floor):
        a, gx, gy, (p11, _, p22) = fields(mixture(theta, floor), x)
        r = xp.softmax(a, 1)
        sx, sy = (r * gx).sum(1), (r * gy).sum(1)
        # tr ∇s = Σ r (‖g‖² − tr Σ⁻¹) − ‖s‖²
        return ((r * (gx * gx + gy * gy - (p11 + p22))).sum(1) - 0.5 * (sx * sx + sy * sy)).mean()

    def ssm(theta, x, v, floor):
        a, gx, gy, (p11, p12, p22) = fields(mixture(theta, floor), x)
        r = xp.softmax(a, 1)
        sx, sy = (r * gx).sum(1), (r * gy).sum(1)
        v1, v2 = v[:, :1], v[:, 1:]
        along = v1 * gx + v2 * gy
        form = v1 * v1 * p11 + 2 * v1 * v2 * p12 + v2 * v2 * p22
        slope = (r * (along * along - form)).sum(1) - (v[:, 0] * sx + v[:, 1] * sy) ** 2
        return (slope + 0.5 * (sx * sx + sy * sy)).mean()

    def em_step(of, x, floor):
        a, *_ = fields(of, x)
        r = xp.softmax(a, 1)
        counts = r.sum(0)
        means = (r.T @ x) / counts[:, None]
        dx, dy = x[:, :1] - means[:, 0], x[:, 1:] - means[:, 1]
        moment = lambda a, b: (r * a * b).sum(0) / counts
        s11, s12, s22 = moment(dx, dx) + floor, moment(dx, dy), moment(dy, dy) + floor
        return xp.log(counts / len(x)), means, (s11, s12, s22), s11 * s22 - s12 * s12

    def em_nll(of, x):
        a, *_ = fields(of, x)
        return -xp.logsumexp(a, 1).mean()

    return SimpleNamespace(
        losses={"em": nll, "nll": nll, "sm": sm, "ssm": ssm},
        mixture=mixture,
        em_step=em_step,
        em_nll=em_nll,
    )


def numpy_forms():
    """The reference, in float64."""
    import numpy as np

    def logsumexp(a, axis):
        most = a.max(axis, keepdims=True)
        return np.squeeze(np.log(np.exp(a - most).sum(axis, keepdims=True)) + most, axis)

    softmax = lambda a, axis: np.exp(a - np.expand_dims(logsumexp(a, axis), axis))
    return closed_forms(SimpleNamespace(exp=np.exp, log=np.log, logsumexp=logsumexp, softmax=softmax))


# The peers. Each gives, for points and a start, a way to compute losses and one to take steps.


class TorchPeer:
    """PyTorch in closed form; `compile` runs the loss through torch.compile."""

    def __init__(self, compile=False):
        import torch

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        self.torch = torch
        self.forms = closed_forms(SimpleNamespace(
            exp=torch.exp, log=torch.log, logsumexp=torch.logsumexp, softmax=torch.softmax
        ))
        self.compile = compile
        self.algorithms = ["nll", "sm", "ssm"] if compile else ALGORITHMS

    def tensors(self, arrays):
        return [self.torch.tensor(array, dtype=self.torch.float32) for array in arrays]

    def loss(self, algorithm, theta, points, slices, floor=FLOOR):
        """A loss as a number."""
        *theta, x, v = self.tensors([*theta, points, slices])
        return float(self.function(algorithm)(theta, x, v, floor).detach())

    def function(self, algorithm):
        return self.forms.losses[algorithm]

    def stepper(self, algorithm, theta, points):
        """A function that takes one step, and one that gives the loss where it stands."""
        torch = self.torch
        *theta, x = self.tensors([*theta, points])
        if algorithm == "em":
            return self.em_stepper(theta, x)
        loss = self.function(algorithm)
        if self.compile:
            torch._dynamo.reset()
            loss = torch.compile(loss, dynamic=False)
        for tensor in theta:
            tensor.requires_grad_(True)
        optimizer = torch.optim.Adam(theta, lr=LEARNING_RATE)

        def step():
            v = torch.randint(0, 2, x.shape).float() * 2 - 1 if algorithm == "ssm" else x
            optimizer.zero_grad()
            loss(theta, x, v, FLOOR).backward()
            optimizer.step()

        def reset(start=[tensor.detach().clone() for tensor in theta]):
            with torch.no_grad():
                for tensor, value in zip(theta, start):
                    tensor.copy_(value)
            optimizer.state.clear()

        return step, reset

    def em_stepper(self, theta, x):
        state = SimpleNamespace()

        def step():
            with self.torch.no_grad():
                state.mixture = self.forms.em_step(state.mixture, x, FLOOR)

        def reset():
            state.mixture = self.forms.mixture(theta, FLOOR)

        return step, reset

    def nll_after_em(self, theta, points):
        *theta, x = self.tensors([*theta, points])
        mixture = self.forms.em_step(self.forms.mixture(theta, FLOOR), x, FLOOR)
        return float(self.forms.em_nll(mixture, x))


class ThesisPeer(TorchPeer):
    """PyTorch as the thesis wrote it: distributions, and automatic derivatives of them."""

    def mixture(self, theta, floor):
        torch = self.torch
        logits, means, factors = theta
        zero = torch.zeros_like(factors[:, 0])
        rows = [torch.stack([factors[:, 0].exp(), zero], 1), torch.stack([factors[:, 1], factors[:, 2].exp()], 1)]
        lower = torch.stack(rows, 1)
        covariances = lower @ lower.transpose(1, 2) + floor * torch.eye(2)
        return logits, torch.distributions.MultivariateNormal(means, covariances)

    def function(self, algorithm):
        torch = self.torch
        slope_of = {
            "nll": None,
            "em": None,
            "sm": lambda s, x, v: sum(
                torch.autograd.grad(s[:, i].sum(), x, create_graph=True)[0][:, i] for i in range(2)
            ),
            "ssm": lambda s, x, v: (torch.autograd.grad((s * v).sum(), x, create_graph=True)[0] * v).sum(1),
        }[algorithm]

        def loss(theta, x, v, floor):
            logits, components = self.mixture(theta, floor)
            weights = torch.distributions.Categorical(logits=logits)
            mixture = torch.distributions.MixtureSameFamily(weights, components)
            if slope_of is None:
                return -mixture.log_prob(x).mean()
            x = x.detach().requires_grad_(True)
            (s,) = torch.autograd.grad(mixture.log_prob(x).sum(), x, create_graph=True)
            return (slope_of(s, x, v) + 0.5 * (s * s).sum(1)).mean()

        return loss

    def em_step(self, weights, means, covariances, x):
        torch = self.torch
        components = torch.distributions.MultivariateNormal(means, covariances)
        r = torch.softmax(weights.log() + components.log_prob(x[:, None]), 1)
        counts = r.sum(0)
        means = torch.einsum("nk,ni->ki", r, x) / counts[:, None]
        d = x[:, None] - means
        covariances = torch.einsum("nk,nki,nkj->kij", r, d, d) / counts[:, None, None]
        return counts / len(x), means, covariances + FLOOR * torch.eye(2)

    def em_start(self, theta):
        logits, components = self.mixture(theta, FLOOR)
        return self.torch.softmax(logits, 0), components.loc, components.covariance_matrix

    def em_stepper(self, theta, x):
        state = SimpleNamespace()

        def step():
            with self.torch.no_grad():
                state.mixture = self.em_step(*state.mixture, x)

        def reset():
            state.mixture = self.em_start(theta)

        return step, reset

    def nll_after_em(self, theta, points):
        torch = self.torch
        *theta, x = self.tensors([*theta, points])
        weights, means, covariances = self.em_step(*self.em_start(theta), x)
        components = torch.distributions.MultivariateNormal(means, covariances)
        weights = torch.distributions.Categorical(weights)
        return -float(torch.distributions.MixtureSameFamily(weights, components).log_prob(x).mean())


class JaxPeer:
    """JAX, a whole step with Adam in one jit; `automatic` derives score and slope instead of writing them."""

    def __init__(self, automatic=False):
        import jax
        import jax.numpy as jnp

        self.jax, self.jnp = jax, jnp
        self.forms = closed_forms(SimpleNamespace(
            exp=jnp.exp, log=jnp.log, logsumexp=jax.scipy.special.logsumexp, softmax=jax.nn.softmax
        ))
        self.losses = self.automatic_losses() if automatic else self.forms.losses
        self.algorithms = ["nll", "sm", "ssm"] if automatic else ALGORITHMS

    def automatic_losses(self):
        jax, jnp = self.jax, self.jnp

        def log_density(x, theta, floor):
            return -self.forms.losses["nll"](theta, x[None], None, floor)

        score = jax.grad(log_density)

        def nll(theta, x, v, floor):
            return -jax.vmap(log_density, (0, None, None))(x, theta, floor).mean()

        def sm(theta, x, v, floor):
            def term(x):
                s = score(x, theta, floor)
                return jnp.trace(jax.jacfwd(score)(x, theta, floor)) + 0.5 * s @ s

            return jax.vmap(term)(x).mean()

        def ssm(theta, x, v, floor):
            def term(x, v):
                s, slope = jax.jvp(lambda x: score(x, theta, floor), (x,), (v,))
                return v @ slope + 0.5 * s @ s

            return jax.vmap(term)(x, v).mean()

        return {"nll": nll, "em": nll, "sm": sm, "ssm": ssm}

    def arrays(self, arrays):
        return [self.jnp.asarray(array, dtype=self.jnp.float32) for array in arrays]

    def loss(self, algorithm, theta, points, slices, floor=FLOOR):
        *theta, x, v = self.arrays([*theta, points, slices])
        return float(self.losses[algorithm](theta, x, v, floor))

    def stepper(self, algorithm, theta, points):
        jax, jnp = self.jax, self.jnp
        *theta, x = self.arrays([*theta, points])
        state = SimpleNamespace()
        if algorithm == "em":
            em_step = jax.jit(lambda mixture, x: self.forms.em_step(mixture, x, FLOOR))

            def step():
                state.mixture = jax.block_until_ready(em_step(state.mixture, x))

            def reset():
                state.mixture = self.forms.mixture(theta, FLOOR)

            return step, reset
        loss = self.losses[algorithm]

        @jax.jit
        def adam(theta, first, second, time, key, x):
            key, now = jax.random.split(key)
            v = jax.random.rademacher(now, x.shape, dtype=jnp.float32) if algorithm == "ssm" else x
            gradient = jax.grad(loss)(theta, x, v, FLOOR)
            time = time + 1
            map = jax.tree_util.tree_map
            first = map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
            second = map(lambda m, g: 0.999 * m + 0.001 * g * g, second, gradient)
            size = LEARNING_RATE / (1 - 0.9**time)
            root = lambda m: jnp.sqrt(m / (1 - 0.999**time)) + 1e-8
            theta = map(lambda t, m, s: t - size * m / root(s), theta, first, second)
            return theta, first, second, time, key

        def step():
            state.all = jax.block_until_ready(adam(*state.all, x))

        def reset():
            zeros = [jnp.zeros_like(tensor) for tensor in theta]
            state.all = list(theta), zeros, list(zeros), jnp.float32(0), jax.random.key(0)

        return step, reset

    def nll_after_em(self, theta, points):
        *theta, x = self.arrays([*theta, points])
        mixture = self.forms.em_step(self.forms.mixture(theta, FLOOR), x, FLOOR)
        return float(self.forms.em_nll(mixture, x))


class SklearnPeer:
    """scikit-learn's E-step and M-step, which its `fit` repeats."""

    algorithms = ["em"]

    def __init__(self):
        import sklearn.mixture

        self.module = sklearn.mixture

    def model(self, theta, points):
        import warnings

        import numpy as np

        k = len(theta[0])
        # Circles: Σ⁻¹ is the same in every direction.
        model = self.module.GaussianMixture(
            k, tol=0, max_iter=1, reg_covar=FLOOR, weights_init=np.full(k, 1 / k), means_init=theta[1],
            precisions_init=np.tile(np.eye(2) / VARIANCE, (k, 1, 1)), random_state=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # One iteration does not converge.
            return model.fit(points)

    def loss(self, algorithm, theta, points, slices, floor=FLOOR):
        # What its first iteration saw before it stepped.
        return -self.model(theta, points).lower_bound_

    def nll_after_em(self, theta, points):
        return -self.model(theta, points).score(points)

    def stepper(self, algorithm, theta, points):
        state = SimpleNamespace()

        def step():
            _, log_responsibilities = state.model._e_step(points)
            state.model._m_step(points, log_responsibilities)

        def reset():
            state.model = self.model(theta, points)

        return step, reset


PEERS = {
    "torch-thesis": ("torch", lambda: ThesisPeer()),
    "torch": ("torch", lambda: TorchPeer()),
    "torch-compile": ("torch", lambda: TorchPeer(compile=True)),
    "jax": ("jax", lambda: JaxPeer()),
    "jax-auto": ("jax", lambda: JaxPeer(automatic=True)),
    "sklearn": ("sklearn", lambda: SklearnPeer()),
}


def installed(names):
    """The peers that are there, by name."""
    peers = {}
    for name in names:
        if name not in PEERS:
            sys.exit(f"peers.py: there is no peer {name!r}; these exist: {', '.join(PEERS)}")
        module, make = PEERS[name]
        if importlib.util.find_spec(module):
            peers[name] = make()
        else:
            note(f"{name} is left out: {module} is not installed")
    return peers


# What is timed together computes the same thing.


def check_against_golden(peers):
    """Losses of every gradient peer at the golden file's cases, as far as float32 can reach."""
    import numpy as np

    forms = numpy_forms()
    for case in json.loads(GOLDEN.read_text())["cases"]:
        array = lambda *path: np.array(nested(case, path), dtype=float)
        theta = array("params", "logits"), array("params", "means"), array("params", "chol_raw")
        points, slices = array("x"), array("v")[:, 0]
        for algorithm, key in [("nll", "nll"), ("sm", "sm"), ("ssm", "ssmvr_m1")]:
            want = case["loss"][key]
            what = f"{case['name']}, {algorithm}"
            agree(f"{what}, numpy", forms.losses[algorithm](theta, points, slices, 0.0), want, 1e-6)
            reach = case["acc"]["f32_loss_rel"][key]
            if reach > 1e-5:
                continue  # Not a number that float32 can find.
            for name, peer in peers.items():
                if algorithm in peer.algorithms:
                    agree(f"{what}, {name}", peer.loss(algorithm, theta, points, slices, 0.0), want, 3e-4)


def check_at_start(peers, ours, theta, points):
    """Losses of everybody at the start, and after one step of EM."""
    import numpy as np

    forms = numpy_forms()
    slices = np.random.default_rng(1).choice([-1.0, 1.0], points.shape)
    for algorithm in ALGORITHMS:
        want = forms.losses[algorithm](theta, points, slices, FLOOR)
        for name, peer in peers.items():
            if algorithm in peer.algorithms:
                agree(f"{name}, {algorithm}, start", peer.loss(algorithm, theta, points, slices), want, 1e-5)
        for row in ours:
            if row["algorithm"] == algorithm and algorithm != "ssm":
                agree(f"{OURS}, {algorithm}, start", row["objective"], want, 1e-9)
            elif row["algorithm"] == algorithm:
                # Its slices are its own: within the spread of the mean over random slices.
                losses = [
                    forms.losses["ssm"](theta, points, np.random.default_rng(i).choice([-1.0, 1.0], points.shape), FLOOR)
                    for i in range(20)
                ]
                away = abs(row["objective"] - statistics.mean(losses)) / statistics.stdev(losses)
                if not away < 6:
                    sys.exit(f"peers.py: {OURS}, ssm, start: {row['objective']} is {away} standard deviations away")
    want = forms.em_nll(forms.em_step(forms.mixture(theta, FLOOR), points, FLOOR), points)
    for name, peer in peers.items():
        if "em" in peer.algorithms:
            agree(f"{name}, after a step of EM", peer.nll_after_em(theta, points), want, 1e-5)


def agree(what, got, want, tolerance):
    if not abs(got - want) <= tolerance * max(1.0, abs(want)):
        sys.exit(f"peers.py: {what}: {got}, not {want}; they do not compute the same thing")


def nested(value, path):
    for key in path:
        value = value[key]
    return value


# Times.


def measure(arguments, peers, points, path, k):
    """Rows of one K: everybody in turns."""
    theta = start_at(points, k)
    steppers, times, ours = {}, {}, []
    for round in range(arguments.rounds):
        if arguments.ours:
            note(f"K = {k}, round {round + 1}: {OURS}")
            ours.append(bench(arguments, path, k))
        if round == 0:
            check_at_start(peers, ours[0] if ours else [], theta, points)
        for name, peer in peers.items():
            for algorithm in peer.algorithms:
                note(f"K = {k}, round {round + 1}: {name}, {algorithm}")
                key = name, algorithm
                if key not in steppers:
                    steppers[key] = peer.stepper(algorithm, theta, points)
                step, reset = steppers[key]
                reset()
                for _ in range(WARM_UP_STEPS if round == 0 else 1):
                    step()
                reset()
                for _ in range(STEPS_PER_ROUND):
                    began = time.perf_counter()
                    step()
                    times.setdefault(key, []).append(1e3 * (time.perf_counter() - began))
    rows = []
    for index, row in enumerate(ours[0] if ours else []):
        again = [rows[index] for rows in ours]
        row["ms_per_step"] = statistics.median(row["ms_per_step"] for row in again)
        row["ms_min"] = min(row["ms_min"] for row in again)
        rows.append(row)
    for (name, algorithm), own in times.items():
        rows.append({
            "algorithm": algorithm, "k": k, "n": len(points), "threads": arguments.threads,
            "ms_per_step": statistics.median(own), "ms_min": min(own), "peer": name,
        })
    return rows


def bench(arguments, path, k):
    """ScoreScope's own rows."""
    command = [
        arguments.ours, "bench", "--json", "--data", path, "--k", str(k), "--threads", str(arguments.threads),
        "--set", "slice_distribution=rademacher",
    ]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    rows = [json.loads(line) for line in text.splitlines()]
    return [{**row, "peer": OURS} for row in rows if row["algorithm"] != "floor"]


# Tables.


def table(arguments, rows):
    lines = [f"milliseconds a step, {arguments.n} points, {arguments.threads} threads, {kind(arguments)}"]
    lines.append(f"{'':14}{'K':>5}" + "".join(f"{algorithm:>10}" for algorithm in ALGORITHMS))
    for peer in dict.fromkeys(row["peer"] for row in rows):
        for k in arguments.k:
            cells = [cell(arguments, rows, peer, algorithm, k) for algorithm in ALGORITHMS]
            lines.append(f"{peer:14}{k:>5}" + "".join(f"{digits(value):>10}" for value in cells))
    return "\n".join(lines) + "\n"


def ratios(arguments, rows):
    """How many times longer others take than ScoreScope, and what was to be reached."""
    time_of = lambda peer, algorithm, k: cell(arguments, rows, peer, algorithm, k)
    peers = [peer for peer in dict.fromkeys(row["peer"] for row in rows) if peer != OURS]
    best = lambda algorithm, k: min(
        (time_of(peer, algorithm, k) or math.inf, peer) for peer in peers
    )
    lines, reach = ["best of the peers / scorescope"], ["", "to reach"]
    for k in arguments.k:
        cells = []
        for algorithm in ALGORITHMS:
            value, peer = best(algorithm, k)
            cells.append(f"{algorithm} {digits(quotient(value, time_of(OURS, algorithm, k)))}× ({peer})")
        lines.append(f"K = {k:<5}" + "   ".join(f"{text:24}" for text in cells))
    k = 100
    wanted = [(f"{algorithm}: best of the peers", best(algorithm, k)[0], algorithm, 4) for algorithm in ["sm", "ssm"]]
    wanted += [(f"{a}: torch-thesis", time_of("torch-thesis", a, k), a, 30) for a in ["sm", "ssm"]]
    wanted += [("em: sklearn", time_of("sklearn", "em", k), "em", 30)]
    for what, theirs, algorithm, goal in wanted if k in arguments.k else []:
        ratio = quotient(theirs, time_of(OURS, algorithm, k))
        if ratio is not None:
            verdict = "reached" if ratio >= goal else "not reached"
            reach.append(f"K = 100, {what:28} {digits(ratio):>6}× of {goal}×  {verdict}")
    return "\n".join(lines + (reach if len(reach) > 2 else []))


def cell(arguments, rows, peer, algorithm, k):
    key = "ms_per_step" if arguments.median else "ms_min"
    for row in rows:
        if (row["peer"], row["algorithm"], row["k"]) == (peer, algorithm, k):
            return row[key]
    return None


def kind(arguments):
    return "medians" if arguments.median else f"best of {arguments.rounds * STEPS_PER_ROUND} or more"


def quotient(a, b):
    return a / b if a is not None and b is not None and math.isfinite(a) else None


def digits(value):
    return "–" if value is None or not math.isfinite(value) else f"{value:.3g}"


def note(text):
    print(f"peers.py: {text}", file=sys.stderr)


if __name__ == "__main__":
    main()
