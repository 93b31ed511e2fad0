# SPDX-License-Identifier: MIT
"""Files written by NumPy, SciPy, scikit-learn, XGBoost, liac-arff and in the ways of LIBSVM's users."""
import os
import shutil
import warnings

import arff
import numpy as np
import scipy.sparse
import sklearn.datasets
import xgboost

from data import CITIES, LEVELS, N, expected_table, measures, people, pick

NO_TEST = ["--test", "none"]


def table_of(array, names=None):
    names = names or [f"column {j + 1}" for j in range(array.shape[1])]
    return {name: [float(v) for v in array[:, j]] for j, name in enumerate(names)}


def counts_of(labels):
    values, counts = np.unique(labels, return_counts=True)
    return {str(v): int(n) for v, n in zip(values, counts)}


def write_npy(c):
    """numpy.save: each type of element, both orders of bytes and of axes, each version of the head."""
    m = measures()
    plain = np.array([*m.values()]).T
    whole = np.round(plain * 10)

    def save(name, how, array, shown=None, expected=None, version=None):
        with open(c.path(f"numpy/{name}"), "wb") as f:
            np.lib.format.write_array(f, array, version=version)
        shown = table_of((array if shown is None else shown).astype(float))
        c.add(f"numpy/{name}", "NumPy", how,
              expected or dict(expected_table(shown, header=False), task="values"))

    save("float64.npy", "float64", plain)
    save("float32.npy", "float32", plain.astype("f4"))
    save("float16.npy", "float16", plain.astype("f2"))
    save("big-endian.npy", ">f8", plain.astype(">f8"))
    save("big-endian-int.npy", ">i4", whole.astype(">i4"), expected=dict(
        expected_table(table_of(whole), header=False)))
    save("fortran.npy", "Fortran's order", np.asfortranarray(plain))
    save("transposed.npy", "a transposed array", np.array([*m.values()]).T)
    save("version-2.npy", "version 2.0 of the format", plain, version=(2, 0))
    save("version-3.npy", "version 3.0 of the format", plain, version=(3, 0))
    for kind in ("i1", "i2", "i4", "i8"):
        save(f"int-{kind}.npy", kind, np.clip(whole, -127, 127).astype(kind), expected=dict(
            expected_table(table_of(np.clip(whole, -127, 127)), header=False)))
    for kind in ("u1", "u2", "u4", "u8"):
        positive = np.abs(np.clip(whole, -200, 200))
        save(f"uint-{kind}.npy", kind, positive.astype(kind), expected=dict(
            expected_table(table_of(positive), header=False)))
    above = plain > plain.mean(axis=0)
    save("bool.npy", "bool", above, expected=dict(
        expected_table(table_of(above.astype(float)), header=False), task="classes"))
    holes = plain.copy()
    holes[::7, 1] = np.nan
    shown = {k: [None if np.isnan(v) else v for v in col] for k, col in table_of(holes).items()}
    save("nan.npy", "NaN for missing cells", holes,
         expected=dict(expected_table(shown, header=False), task="values"))
    save("classes.npy", "the last column numbers classes",
         np.column_stack([plain[:, :4], np.arange(N) % 3]), expected=dict(
             expected_table(table_of(np.column_stack([plain[:, :4], np.arange(N) % 3])),
                            header=False), task="classes", classes={"0": 20, "1": 20, "2": 20}))
    np.save(c.path("numpy/not-contiguous.npy"), np.repeat(plain, 2, axis=0)[::2])
    c.add("numpy/not-contiguous.npy", "NumPy", "a strided view",
          dict(expected_table(table_of(plain), header=False), task="values"))


def write_npz(c):
    m = measures()
    x = np.array([m[f"x{j + 1}"] for j in range(4)]).T
    y = np.array(m["y"])
    labels = np.arange(N) % 3
    numbers = [dict(column, name=f"column {j + 1}") for j, column in enumerate(
        expected_table(table_of(x), header=False)["columns"])]
    images = np.random.default_rng(5).integers(0, 256, (N, 5, 6)).astype("u1")

    def save(name, how, expected, compressed=False, test=NO_TEST, **arrays):
        (np.savez_compressed if compressed else np.savez)(c.path(f"npz/{name}"), **arrays)
        c.add(f"npz/{name}", "NumPy", how, dict(expected, train=test))

    def pictures(n, of, features=30, **more):
        return dict({"rows": n, "features": features, "classes": counts_of(of), "task": "classes"},
                    **more)

    classes = {"rows": N, "features": 4, "classes": counts_of(labels), "task": "classes",
               "columns": [*numbers, {"kind": "any", "name": None}]}
    save("x-y.npz", "savez(x=, y=): values", {"rows": N, "features": 4, "task": "values"}, x=x, y=y)
    save("classes.npz", "savez(x=, y=): classes", classes, x=x, y=labels)
    save("compressed.npz", "savez_compressed", classes, compressed=True, x=x, y=labels)
    save("upper.npz", "savez(X=, Y=)", classes, X=x, Y=labels)
    save("column-target.npz", "y of the shape (n, 1)", classes, x=x, y=labels[:, None])
    save("float-labels.npz", "labels as float64", classes, x=x, y=labels.astype(float))
    texts = np.array(LEVELS)[labels]
    save("text-labels.npz", "labels that are texts", dict(classes, classes=counts_of(texts)), x=x,
         y=texts)
    save("from-1.npz", "labels from 1", dict(classes, classes=counts_of(labels + 1)), x=x,
         y=labels + 1)
    save("boolean-labels.npz", "y > 0", {"rows": N, "features": 4, "task": "classes"}, x=x,
         y=y > y.mean())
    save("train-test.npz", "x_train, y_train, x_test, y_test", {
        "rows": 40, "features": 4, "classes": counts_of(labels[:40]), "task": "classes"}, test=[],
        x_train=x[:40], y_train=labels[:40], x_test=x[40:], y_test=labels[40:])
    save("keras.npz", "images as in Keras' mnist.npz", pictures(40, labels[:40]), test=[],
         x_train=images[:40], y_train=labels[:40].astype("u1"), x_test=images[40:],
         y_test=labels[40:].astype("u1"))
    save("keras-compressed.npz", "the same, compressed", pictures(40, labels[:40]), test=[],
         compressed=True, x_train=images[:40], y_train=labels[:40].astype("u1"),
         x_test=images[40:], y_test=labels[40:].astype("u1"))
    save("channels.npz", "images of (n, h, w, 1)", pictures(40, labels[:40]), test=[],
         x_train=images[:40, :, :, None], y_train=labels[:40], x_test=images[40:, :, :, None],
         y_test=labels[40:])
    colour = np.random.default_rng(6).integers(0, 256, (N, 5, 6, 3)).astype("u1")
    save("colour.npz", "images of (n, h, w, 3)", pictures(40, labels[:40], features=90), test=[],
         x_train=colour[:40], y_train=labels[:40], x_test=colour[40:], y_test=labels[40:])
    save("letters.npz", "images with labels from 1, as EMNIST's letters",
         pictures(40, labels[:40] + 1), test=[], x_train=images[:40], y_train=labels[:40] + 1,
         x_test=images[40:], y_test=labels[40:] + 1)
    save("medmnist.npz", "MedMNIST: train_images, val_images, test_images", pictures(
        30, labels[:30]), test=[], train_images=images[:30], train_labels=labels[:30, None],
        val_images=images[30:45], val_labels=labels[30:45, None], test_images=images[45:],
        test_labels=labels[45:, None])
    one_hot = np.eye(3)[labels]
    save("one-hot.npz", "one-hot labels, as to_categorical makes them",
         {"rows": N, "features": 4, "task": "classes"}, x=x, y=one_hot)


def write_savetxt(c):
    m = measures()
    array = np.array([*m.values()]).T
    bare = dict(expected_table(m, header=False), task="values")
    named = dict(expected_table(m), task="values")

    def save(name, how, expected, **arguments):
        np.savetxt(c.path(f"savetxt/{name}"), array, **arguments)
        c.add(f"savetxt/{name}", "NumPy", how, expected)

    save("default.txt", "savetxt: %.18e between blanks", bare)
    save("comma.csv", "delimiter=','", bare, delimiter=",")
    save("header.csv", "header= behind '# ', commas", named, delimiter=",", header=",".join(m))
    save("header.txt", "header= behind '# ', blanks", named, header=" ".join(m))
    save("comments.csv", "comments=''", named, delimiter=",", header=",".join(m), comments="")
    save("percent.txt", "comments='% '", named, header=" ".join(m), comments="% ")
    save("footer.csv", "footer= behind '# '", named, delimiter=",", header=",".join(m),
         comments="", fmt="%.4f", footer="# end")
    save("tab.txt", "%.4f, tabs", bare, delimiter="\t", fmt="%.4f")
    save("two-lines.txt", "two lines of comment, the second names the columns", named, fmt="%.6g",
         header="written by savetxt\n" + " ".join(m))
    save("compressed.txt.gz", "a name that ends in .gz", bare)
    np.savetxt(c.path("savetxt/integers.csv"), np.column_stack([np.round(array[:, :3] * 10),
                                                                np.arange(N) % 3]),
               fmt="%d", delimiter=",")
    whole = table_of(np.column_stack([np.round(array[:, :3] * 10), np.arange(N) % 3]))
    c.add("savetxt/integers.csv", "NumPy", "%d, classes last", dict(
        expected_table(whole, header=False), classes={"0": 20, "1": 20, "2": 20}, task="classes"))


def sparse_rows(seed=8, features=6):
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(size=(N, features)), 4)
    x[rng.random(x.shape) < 0.6] = 0
    x[5, features - 1] = 1.5  # the last feature is there
    x[:, 0][x[:, 0] == 0] = 0.25
    return x


def write_svmlight(c):
    x = sparse_rows()
    labels = np.arange(N) % 3
    values = np.round(x @ np.arange(1, 7) / 3, 4)

    def expected(of, features=6, of_x=None, **more):
        return dict({"rows": N, "features": features, "classes": counts_of(of),
                     "task": "classes", "values": (x if of_x is None else of_x).tolist()}, **more)

    def dump(name, how, of, what, of_x=None, **arguments):
        sklearn.datasets.dump_svmlight_file(x if of_x is None else of_x, of,
                                            c.path(f"svmlight/{name}"), **arguments)
        c.add(f"svmlight/{name}", "scikit-learn", how, what)

    dump("zero-based.svm", "dump_svmlight_file", labels, expected(labels))
    dump("one-based.libsvm", "zero_based=False", labels, expected(labels), zero_based=False)
    dump("signs.svm", "labels -1 and 1", np.where(labels, 1, -1),
         expected(np.where(labels, 1, -1)), zero_based=False)
    dump("comment.svm", "comment=: three lines of # first", labels, expected(labels),
         comment="made by the corpus")
    dump("values.svm", "labels with fractions", values,
         {"rows": N, "features": 6, "task": "values", "values": x.tolist()}, zero_based=False)
    dump("query.svm", "query_id=: qid:1", labels, expected(labels), query_id=np.arange(N) // 6,
         zero_based=False)
    empty = x.copy()
    empty[0] = 0
    dump("first-empty.svm", "a first sample without features", labels,
         expected(labels, of_x=empty), of_x=empty, zero_based=False)
    dump("first-empty.txt", "the same, called .txt", labels, expected(labels, of_x=empty),
         of_x=empty, zero_based=False)
    dump("no-suffix", "as LIBSVM's site: no suffix", labels, expected(labels), zero_based=False)
    several = np.column_stack([labels == 0, labels != 2, np.ones(N)]).astype(int)
    dump("multilabel.svm", "multilabel=True", scipy.sparse.csr_matrix(several),
         {"rows": N, "features": 6, "task": "labels"}, multilabel=True, zero_based=False)

    def by_hand(name, tool, how, lines, what, options=(), end="\n"):
        with open(c.path(f"svmlight/{name}"), "w", newline="") as f:
            f.write("".join(line + end for line in lines))
        c.add(f"svmlight/{name}", tool, how, what, options)

    pairs = [[f"{j + 1}:{v:g}" for j, v in enumerate(row) if v] for row in x]
    by_hand("heart_scale", "LIBSVM", "+1 and -1, a blank at the end of each line",
            [f"{'+1' if y else '-1'} {' '.join(p)} " for y, p in zip(labels, pairs)],
            dict(expected(np.where(labels, 1, -1)), classes=None))
    by_hand("crlf.t", "LIBSVM", "CRLF", [f"{y} {' '.join(p)}" for y, p in zip(labels, pairs)],
            expected(labels), end="\r\n")
    by_hand("remarks.dat", "SVMlight", "a remark behind # in each line",
            [f"{y} {' '.join(p)} # sample {i}" for i, (y, p) in enumerate(zip(labels, pairs))],
            expected(labels))
    dense = [" ".join(f"{j}:{v:g}" for j, v in enumerate(row)) for row in x]
    by_hand("xgboost.txt", "XGBoost", "dense, from 0",
            [f"{y} {row}" for y, row in zip(labels, dense)], expected(labels))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it means to give up files of text
        read = xgboost.DMatrix(c.path("svmlight/xgboost.txt") + "?format=libsvm")
    if (read.num_row(), read.num_col()) != (N, 6):
        raise SystemExit("XGBoost reads xgboost.txt otherwise")


def write_sparse(c):
    x = sparse_rows()
    full = table_of(np.column_stack([x, np.arange(N) % 3]))
    for form in ("csr", "csc", "coo"):
        path = c.path(f"scipy/{form}.npz")
        scipy.sparse.save_npz(path, scipy.sparse.csr_matrix(np.array([*full.values()]).T)
                              .asformat(form))
        c.add(f"scipy/{form}.npz", "SciPy", f"save_npz of a {form} matrix, classes last",
              {"rows": N, "features": 6, "task": "classes", "classes": {"0": 20, "1": 20, "2": 20}})


def write_arff(c):
    """liac-arff, dense and sparse; the target is the last attribute, as in Weka."""
    small = pick(people(), "age", "height", "city", "income", "level")
    attributes = [("age", "INTEGER"), ("height", "REAL"), ("city", CITIES), ("income", "NUMERIC"),
                  ("level", LEVELS)]

    def save(name, how, content, expected):
        with open(c.path(f"arff/{name}"), "w", encoding="utf-8") as f:
            arff.dump(content, f)
        c.add(f"arff/{name}", "liac-arff", how, expected)

    rows = [list(row) for row in zip(*small.values())]
    plain = expected_table(small, classes="level")
    save("people.arff", "dense: ?, names with blanks in quotes", {
        "relation": "people", "attributes": attributes, "data": rows, "description":
        "made by the corpus\nof 60 rows"}, plain)
    texts = [(name, "STRING" if name == "city" else kind) for name, kind in attributes]
    save("strings.arff", "an attribute of kind STRING", {
        "relation": "people of a city", "attributes": texts, "data": rows}, plain)
    named = [(name.replace("age", "age in years").replace("income", "50% of income"), kind)
             for name, kind in attributes]
    shown = {new: small[old] for (new, _), (old, _) in zip(named, attributes)}
    save("names.arff", "names with blanks and %", {
        "relation": "people", "attributes": named, "data": rows}, expected_table(
            shown, classes="level"))
    m = measures()
    save("measures.arff", "numbers alone", {
        "relation": "m", "attributes": [(name, "REAL") for name in m],
        "data": [list(row) for row in zip(*m.values())]}, dict(expected_table(m), task="values"))
    x = sparse_rows()
    labels = [LEVELS[i % 3] for i in range(N)]
    names = [f"x{j}" for j in range(6)]
    rows = [dict({j: v for j, v in enumerate(row) if v}, **{}) | {6: label}
            for row, label in zip(x.tolist(), labels)]
    save("sparse.arff", "sparse rows: {0 1.5, 3 2}", {
        "relation": "s", "attributes": [*((name, "REAL") for name in names), ("class", LEVELS)],
        "data": rows}, expected_table(dict(table_of(x, names), **{"class": labels}),
                                      classes="class"))


def write_sklearn(c):
    """The tables that come with scikit-learn, as they lie in the package."""
    folder = os.path.join(os.path.dirname(sklearn.datasets.__file__), "data")
    for name, load in (("iris.csv", sklearn.datasets.load_iris),
                       ("wine_data.csv", sklearn.datasets.load_wine),
                       ("breast_cancer.csv", sklearn.datasets.load_breast_cancer)):
        bunch = load()
        shutil.copyfile(os.path.join(folder, name), c.path(f"sklearn/{name}"))
        c.add(f"sklearn/{name}", "scikit-learn", "its own file: rows, columns, names of classes "
              "first", {"rows": len(bunch.target), "features": bunch.data.shape[1],
                        "task": "classes", "classes": counts_of(bunch.target)})
    digits = sklearn.datasets.load_digits()
    shutil.copyfile(os.path.join(folder, "digits.csv.gz"), c.path("sklearn/digits.csv.gz"))
    c.add("sklearn/digits.csv.gz", "scikit-learn", "its own file: 64 pixels and the digit",
          {"rows": 1797, "task": "classes", "classes": counts_of(digits.target)})
    shutil.copyfile(os.path.join(folder, "linnerud_exercise.csv"),
                    c.path("sklearn/linnerud_exercise.csv"))
    c.add("sklearn/linnerud_exercise.csv", "scikit-learn", "its own file: blanks, 20 rows",
          expected_table(table_of(sklearn.datasets.load_linnerud().data,
                                  ["Chins", "Situps", "Jumps"])))
    for name in ("iris", "wine", "diabetes"):
        bunch = getattr(sklearn.datasets, f"load_{name}")(as_frame=True)
        bunch.frame.to_csv(c.path(f"sklearn/{name}-frame.csv"), index=False)
        expected = expected_table({k: bunch.frame[k].tolist() for k in bunch.frame})
        expected["task"] = "values" if name == "diabetes" else "classes"
        c.add(f"sklearn/{name}-frame.csv", "scikit-learn", "load_...(as_frame=True), by pandas",
              expected)


def write_all(c):
    for write in (write_npy, write_npz, write_savetxt, write_svmlight, write_sparse, write_arff,
                  write_sklearn):
        write(c)
