#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The other libraries on glia's task: a worker process for bench/compare.py.

usage: peers.py PEER THREADS FOLDER

Prints the library's version, then answers each request with a line: a number, or "error: ...". A
request is a line of JSON: task (train, latency or bulk), network (widths, the inputs first), batch,
data (a folder below FOLDER with files like MNIST's of training, uncompressed) and seconds (about
how long to measure). train and bulk are answered in samples a second, latency in µs. The first
request of a kind is preceded by a run that is not timed: it compiles and warms up.

All train relu networks with softmax and cross-entropy by plain SGD, in f32, on shuffled batches, x
already scaled and in memory as f32. Where a library has two usual ways, the faster one is here.
"""
import contextlib
import functools
import json
import os
import statistics
import sys
import time
import warnings

import numpy

RATE = 1e-4  # it changes no speed
LATENCIES = 2000  # how many single samples the median is taken of
BULK = 10000  # rows of bulk inference
PIECE = 1024  # they are also given in pieces of this size; the faster way counts


@functools.lru_cache(maxsize=1)
def load(folder, name):
    """x (n, 784) as f32 from 0 to 1, y (n) as int64"""
    def idx(kind, header):
        return numpy.fromfile(os.path.join(folder, name, f"train-{kind}-ubyte"),
                              numpy.uint8)[header:]
    x = idx("images-idx3", 16).reshape(-1, 784).astype(numpy.float32) / numpy.float32(255)
    return x, idx("labels-idx1", 8).astype(numpy.int64)


def random_weights(sizes):
    random = numpy.random.default_rng(1)
    return [(random.normal(0, (2 / i) ** 0.5, (i, o)).astype(numpy.float32),
             numpy.zeros(o, numpy.float32)) for i, o in zip(sizes, sizes[1:])]


class Peer:
    """train(sizes, batch, x, y) returns a function that trains on about so many samples and returns
    on how many. infer(sizes, x) returns a function of from and to, which maps these rows of x to
    probabilities. Both run within `mode`."""
    mode = contextlib.nullcontext()


class Jax(Peer):
    def __init__(self, threads):
        os.environ["JAX_PLATFORMS"] = "cpu"
        os.environ["NPROC"] = str(threads)  # the size of XLA's pool
        if threads == 1:
            os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
        import jax
        self.jax, self.version = jax, jax.__version__

    def train(self, sizes, batch, x, y):
        """A whole epoch is one compiled scan."""
        jax, np = self.jax, self.jax.numpy
        steps = len(x) // batch

        def loss(weights, x, y):
            for w, b in weights[:-1]:
                x = jax.nn.relu(x @ w + b)
            w, b = weights[-1]
            log_p = jax.nn.log_softmax(x @ w + b)
            if batch == 1:  # the faster way there
                return -np.sum(log_p * jax.nn.one_hot(y, sizes[-1]))
            return -np.mean(np.take_along_axis(log_p, y[:, None], 1))

        def step(weights, xy):
            gradient = jax.grad(loss)(weights, *xy)
            return jax.tree.map(lambda w, g: w - RATE * g, weights, gradient), None

        @functools.partial(jax.jit, donate_argnums=0)
        def epoch(weights, key, x, y):
            rows = jax.random.permutation(key, len(x))[:steps * batch].reshape(steps, batch)
            return jax.lax.scan(lambda w, r: step(w, (x[r], y[r])), weights, rows)[0]

        x, y = jax.device_put(x), jax.device_put(y.astype(numpy.int32))
        weights = jax.tree.map(np.array, random_weights(sizes))
        key = jax.random.key(1)

        def run(_):
            nonlocal weights, key
            key, now = jax.random.split(key)
            weights = jax.block_until_ready(epoch(weights, now, x, y))
            return steps * batch
        return run


class ScikitLearn(Peer):
    def __init__(self, threads):
        import sklearn
        import threadpoolctl
        from sklearn.neural_network import MLPClassifier
        sklearn.set_config(assume_finite=True)
        warnings.simplefilter("ignore")  # it has not converged
        self.version, self.classifier = sklearn.__version__, MLPClassifier
        self.limits = threadpoolctl.threadpool_limits(threads)  # after all that brings a BLAS

    def train(self, sizes, batch, x, y):
        model = self.classifier(hidden_layer_sizes=sizes[1:-1], solver="sgd", momentum=0,
                              nesterovs_momentum=False, alpha=0, batch_size=batch,
                              learning_rate_init=RATE, random_state=1)
        classes = numpy.arange(sizes[-1])

        def run(samples):  # one epoch over them, shuffled
            model.partial_fit(x[:samples], y[:samples], classes=classes)
            return min(samples, len(x))
        return run


class PyTorch(Peer):
    def __init__(self, threads):
        import torch
        torch.set_num_threads(threads)
        self.torch, self.version = torch, torch.__version__

    def network(self, sizes):
        nn, layers = self.torch.nn, []
        for i, o in zip(sizes, sizes[1:]):
            layers += [nn.Linear(i, o), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    def train(self, sizes, batch, x, y):
        torch, self.mode = self.torch, contextlib.nullcontext()
        model, loss = self.network(sizes), torch.nn.CrossEntropyLoss()
        optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
        x, y = torch.from_numpy(x), torch.from_numpy(y)

        def run(samples):
            rows = torch.randperm(len(x))[:samples // batch * batch]
            for r in rows.split(batch):
                optimizer.zero_grad()
                loss(model(x.index_select(0, r)), y.index_select(0, r)).backward()
                optimizer.step()
            return len(rows)
        return run

    def infer(self, sizes, x):
        torch = self.torch
        model = torch.nn.Sequential(self.network(sizes), torch.nn.Softmax(dim=1)).eval()
        x, self.mode = torch.from_numpy(x), torch.inference_mode()
        return lambda from_, to: model(x[from_:to])


class OnnxRuntime(Peer):
    def __init__(self, threads):
        import onnxruntime
        self.runtime, self.version, self.threads = onnxruntime, onnxruntime.__version__, threads

    def infer(self, sizes, x):
        from onnx import TensorProto, helper, numpy_helper
        nodes, constants, last = [], [], "x"
        for i, (w, b) in enumerate(random_weights(sizes)):
            constants += [numpy_helper.from_array(w, f"w{i}"), numpy_helper.from_array(b, f"b{i}")]
            nodes.append(helper.make_node("Gemm", [last, f"w{i}", f"b{i}"], [f"z{i}"]))
            is_last = i == len(sizes) - 2
            last = "p" if is_last else f"a{i}"
            nodes.append(helper.make_node("Softmax" if is_last else "Relu", [f"z{i}"], [last]))
        tensors = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size])]
                   for name, size in (("x", sizes[0]), ("p", sizes[-1]))]
        model = helper.make_model(helper.make_graph(nodes, "mlp", *tensors, constants),
                                  opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        options = self.runtime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self.threads, 1
        session = self.runtime.InferenceSession(model.SerializeToString(), options,
                                                providers=["CPUExecutionProvider"])
        return lambda from_, to: session.run(None, {"x": x[from_:to]})


PEERS = {"JAX": Jax, "scikit-learn": ScikitLearn, "PyTorch": PyTorch, "ONNX Runtime": OnnxRuntime}


def rate_of(run, seconds):
    """Samples a second. run returns on how many samples it ran; it is repeated for so long."""
    count, elapsed, begun = 0, 0, time.perf_counter()
    while elapsed < seconds:
        count += run()
        elapsed = time.perf_counter() - begun
    return count / elapsed


def training(peer, task, folder):
    x, y = load(folder, task["data"])
    train = peer.train(tuple(task["network"]), task["batch"], x, y)
    few = min(len(x), 16 * task["batch"] + 1000)
    train(few)  # compiles
    samples = int(rate_of(lambda: train(few), 0.1) * task["seconds"])
    samples = min(len(x), max(few, samples))
    return lambda: rate_of(lambda: train(samples), task["seconds"] / 2)


def latency(peer, task, folder):
    x = load(folder, task["data"])[0][:BULK]
    infer = peer.infer(tuple(task["network"]), x)

    def one(i):
        begun = time.perf_counter_ns()
        infer(i, i + 1)
        return time.perf_counter_ns() - begun
    return lambda: statistics.median(map(one, range(LATENCIES))) / 1000


def bulk(peer, task, folder):
    x = load(folder, task["data"])[0][:BULK]
    infer = peer.infer(tuple(task["network"]), x)

    def in_pieces(size):
        for i in range(0, len(x), size):
            infer(i, i + size)
        return len(x)
    return lambda: max(rate_of(lambda: in_pieces(size), task["seconds"] / 2)
                       for size in (len(x), PIECE))


TASKS = {"train": training, "latency": latency, "bulk": bulk}


def main():
    name, threads, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    peer, prepared, measure = PEERS[name](threads), None, None
    print(peer.version, flush=True)
    for line in sys.stdin:
        try:
            if line != prepared:
                task = json.loads(line)
                measure = TASKS[task["task"]](peer, task, folder)
                with peer.mode:
                    measure()  # warms up
                prepared = line
            with peer.mode:
                print(measure(), flush=True)
        except Exception as error:  # whatever a library throws: the others go on
            print("error:", " ".join(str(error).split()), flush=True)


if __name__ == "__main__":
    main()
