/* SPDX-License-Identifier: MIT */
/*
 * The settings of a network and of its training: each is one line here and the code that uses it.
 * From the list come the struct (settings.h), reading and writing by name, the checks and their
 * messages, the record in model files and checkpoints, and the options of the program with their
 * help, what can be swept, run.json, the table of a report and the comparison of runs.
 *
 * X(KIND, field, "name", GROUP, DEFAULT, MIN, MAX, BOUNDS, RECORD, "metavar", "shown", "help")
 *
 *   KIND     its type: GI_SETTING_KINDS below
 *   field    of struct glia_settings, and its key in JSON
 *   name     of the option
 *   DEFAULT  NAN of a number, 0 of ON_AUTO: decided by other settings, or by the data
 *   BOUNDS   CLOSED: MIN..MAX, ABOVE: without MIN, BELOW: without MAX; MAX 0: no upper limit
 *   RECORD   whether a model file has it in "training": ALWAYS, FIRST (always, also in files of the
 *            first versions), IF_SET (where it is not 0), IMAGES and IMAGES_IF_SET (the same, with
 *            the other distortions, where there are some), NEVER (it is said elsewhere)
 *   shown    the default for people, where it is not the DEFAULT; or NULL
 *   help     a phrase in small letters
 */
#ifndef GLIA_MODEL_SETTINGS_LIST_H
#define GLIA_MODEL_SETTINGS_LIST_H

/* X(GROUP, "heading") */
#define GI_SETTING_GROUPS(X)                                                                       \
    X(NETWORK, "Network")                                                                          \
    X(TRAINING, "Training")                                                                        \
    X(REGULARISATION, "Regularisation")                                                            \
    X(AUGMENTATION, "Augmentation")                                                                \
    X(FADING, "Augmentation over the epochs")                                                      \
    X(VALIDATION, "Validation")

/* clang-format off */
#define GI_SETTINGS_LIST(X)                                                                        \
    X(UNITS, hidden, "hidden", NETWORK, 256, 1, 0, CLOSED, NEVER, "LIST", NULL,                    \
      "units of each hidden layer, as 512,256; none: no hidden layer, which is softmax or linear " \
      "regression")                                                                                \
    X(ACTIVATIONS, activation, "activation", NETWORK, GLIA_ACTIVATION_RELU, 0, 0, CLOSED, NEVER, "LIST", NULL,\
      "activation of the hidden layers")                                                           \
    X(FLAG, batch_norm, "batch-norm", NETWORK, 0, 0, 1, CLOSED, NEVER, NULL, NULL,                 \
      "normalise the sums of hidden units over each batch")                                        \
    X(FLAG, deskew, "deskew", NETWORK, 0, 0, 1, CLOSED, NEVER, NULL, NULL,                         \
      "shear each image until it stands upright, in training and in prediction")                   \
    X(FLAG, centre, "centre", NETWORK, 0, 0, 1, CLOSED, NEVER, NULL, NULL,                         \
      "move the centre of mass of each image to the middle, in training and in prediction")        \
    X(SWITCH, standardise, "standardise", NETWORK, GI_AUTO, 0, 0, CLOSED, NEVER, "WORD", NULL,     \
      "scale the inputs to mean 0 and standard deviation 1, for each channel of images or for "    \
      "each feature of other samples, in training and in prediction; auto does it for pictures "   \
      "that are not light on dark")                                                                \
    X(LOSS, loss, "loss", NETWORK, GLIA_LOSS_AUTO, 0, 0, CLOSED, NEVER, "NAME", NULL,              \
      "the loss, which decides what the outputs are: one of several classes (cross- "              \
      "entropy), labels that are each 0 or 1 (bce), or values (the others); auto chooses by "      \
      "the data")                                                                                  \
    X(INIT, init, "init", NETWORK, GLIA_INIT_AUTO, 0, 0, CLOSED, NEVER, "NAME", NULL,              \
      "distribution of the first weights")                                                         \
                                                                                                   \
    X(OPTIMIZER, optimizer, "optimizer", TRAINING, GLIA_OPTIMIZER_SGD, 0, 0, CLOSED, ALWAYS, "NAME", NULL,   \
      "how a step follows the gradient")                                                           \
    X(REAL, lr, "lr", TRAINING, NAN, 0, 0, ABOVE, FIRST, "X", "0.2",                               \
      "learning rate (default with momentum and nesterov: 0.02; with rmsprop, adam and adamw: "    \
      "0.001)")                                                                                    \
    X(SCHEDULE, schedule, "schedule", TRAINING, GLIA_SCHEDULE_AUTO, 0, 0, CLOSED, ALWAYS, "NAME",  \
      NULL,                                                                                        \
      "how the learning rate changes; auto is linear if lr-end is given, else constant")           \
    X(REAL, lr_end, "lr-end", TRAINING, NAN, 0, 0, CLOSED, FIRST, "X", "constant",                 \
      "the learning rate at the last step of the schedules linear, cosine and one-cycle; without " \
      "it cosine falls to 0 and one-cycle to lr / 250000")                                         \
    X(REAL, lr_factor, "lr-factor", TRAINING, NAN, 0, 1, ABOVE, ALWAYS, "X", "",                   \
      "factor of the schedules step (at each fall; 0.1 unless given) and exponential (in each "    \
      "epoch; 0.95 unless given)")                                                                 \
    X(COUNT, lr_every, "lr-every", TRAINING, 0, 1, 1e9, ON_AUTO, ALWAYS, "N", "",                  \
      "epochs between two falls of the schedule step (a third of all epochs unless given)")        \
    X(REAL, warmup, "warmup", TRAINING, 0, 0, 1, BELOW, ALWAYS, "X", NULL,                         \
      "part of all steps in which the learning rate first rises linearly from 0 (with one-cycle "  \
      "0.3 unless given)")                                                                         \
    X(COUNT, batch, "batch", TRAINING, 32, 1, 0, CLOSED, FIRST, "N", NULL,                         \
      "samples in each update; 1 updates after every sample")                                      \
    X(COUNT, epochs, "epochs", TRAINING, 10, 0, 1e9, CLOSED, FIRST, "N", NULL,                     \
      "passes over the training data")                                                             \
    X(SEED, seed, "seed", TRAINING, 1, 0, 0, CLOSED, FIRST, "N", NULL,                             \
      "seed of the first weights, the order of the samples, the distortions and the validation "   \
      "samples")                                                                                   \
    X(THREADS, threads, "threads", TRAINING, 0, 0, 1024, CLOSED, NEVER, "N", NULL,                 \
      "number of threads; 0: one for each core; the result does not depend on it, except "         \
      "with onednn")                                                                               \
    X(ENGINE, engine, "engine", TRAINING, GLIA_ENGINE_AUTO, 0, 0, CLOSED, NEVER, "NAME", NULL,     \
      "the engine that computes (see above); auto takes native for f32 and onednn for bf16")       \
    X(PRECISION, precision, "precision", TRAINING, GLIA_PRECISION_F32, 0, 0, CLOSED, NEVER,        \
      "NAME", NULL,                                                                                \
      "precision of the products; bf16 needs a CPU that has it")                                   \
    X(REAL, momentum, "momentum", TRAINING, 0.9, 0, 1, BELOW, IF_SET, "X", NULL,                   \
      "momentum of momentum and nesterov; beta1 of adam and adamw")                                \
    X(REAL, beta2, "beta2", TRAINING, NAN, 0, 1, BELOW, IF_SET, "X", "0.999",                      \
      "beta2 of adam and adamw (0.999) and of rmsprop (0.99)")                                     \
    X(REAL, epsilon, "epsilon", TRAINING, 1e-8, 0, 0, ABOVE, IF_SET, "X", NULL,                    \
      "epsilon of adam, adamw and rmsprop")                                                        \
    X(REAL, averaging, "averaging", TRAINING, 0, 0, 1, BELOW, IF_SET, "X", NULL,                   \
      "validate and save a moving average of the weights; each step keeps the part X of it, as "   \
      "0.999")                                                                                     \
                                                                                                   \
    X(REAL, dropout, "dropout", REGULARISATION, 0, 0, 1, BELOW, IF_SET, "X", NULL,                 \
      "leave this part of the hidden units out in each step")                                      \
    X(REAL, input_dropout, "input-dropout", REGULARISATION, 0, 0, 1, BELOW, IF_SET, "X", NULL,     \
      "leave this part of the inputs out in each step")                                            \
    X(REAL, input_noise, "input-noise", REGULARISATION, 0, 0, 0, CLOSED, IF_SET, "X", NULL,        \
      "add normal noise with this standard deviation to the inputs (pixels go from 0 to 1)")       \
    X(REAL, label_smoothing, "label-smoothing", REGULARISATION, 0, 0, 1, BELOW, IF_SET, "X", NULL, \
      "spread this part of each label over all classes (cross-entropy only)")                      \
    X(REAL, weight_decay, "weight-decay", REGULARISATION, NAN, 0, 0, CLOSED, IF_SET, "X", "0",     \
      "shrink weights by lr * X in each step, beside the gradient (adamw's default: 0.01)")        \
    X(REAL, l2, "l2", REGULARISATION, 0, 0, 0, CLOSED, IF_SET, "X", NULL,                          \
      "add X / 2 times the sum of the squared weights to the loss")                                \
    X(REAL, l1, "l1", REGULARISATION, 0, 0, 0, CLOSED, IF_SET, "X", NULL,                          \
      "add X times the sum of the weights' magnitudes to the loss")                                \
    X(REAL, max_norm, "max-norm", REGULARISATION, 0, 0, 0, CLOSED, IF_SET, "X", NULL,              \
      "keep the norm of each hidden unit's weights at X or below (0: no limit)")                   \
    X(REAL, clip_norm, "clip-norm", REGULARISATION, 0, 0, 0, CLOSED, IF_SET, "X", NULL,            \
      "scale a larger gradient down to this norm (0: no limit)")                                   \
    X(WEIGHTS, class_weights, "class-weights", REGULARISATION, 0, 0, 0, CLOSED, IF_SET, "LIST", "",\
      "weight of each class; balanced gives all classes the same total weight (cross-entropy "     \
      "only)")                                                                                     \
                                                                                                   \
    X(FLAG, augment, "augment", AUGMENTATION, 0, 0, 1, CLOSED, NEVER, NULL, NULL,                  \
      "distort each image anew in every epoch, as fits handwritten digits: shift 1.5, rotate "     \
      "11.5, scale 0.15, shear 0.2, elastic 25; the options below override these")                 \
    X(REAL, shift, "shift", AUGMENTATION, NAN, 0, 1e6, CLOSED, IMAGES, "X", "0",                   \
      "shift by up to X pixels along each axis, and fill in background")                           \
    X(REAL, rotation, "rotate", AUGMENTATION, NAN, 0, 180, CLOSED, IMAGES, "X", "0",               \
      "rotate by up to X degrees")                                                                 \
    X(REAL, scale, "scale", AUGMENTATION, NAN, 0, 1, BELOW, IMAGES, "X", "0",                      \
      "scale each axis by a factor from 1 - X to 1 + X")                                           \
    X(REAL, shear, "shear", AUGMENTATION, NAN, 0, 100, CLOSED, IMAGES, "X", "0",                   \
      "shear: each row moves by up to X of its distance from the middle")                          \
    X(REAL, elastic_alpha, "elastic", AUGMENTATION, NAN, 0, 1e6, CLOSED, IMAGES, "ALPHA", "0",     \
      "elastic distortion: displacements of up to ALPHA pixels, smoothed (Simard, Steinkraus and " \
      "Platt 2003)")                                                                               \
    X(REAL, elastic_sigma, "elastic-sigma", AUGMENTATION, NAN, 0, 1000, ABOVE, IMAGES, "SIGMA",    \
      "4",                                                                                         \
      "standard deviation of the smoothing Gaussian in pixels")                                    \
    X(REAL, augment_fade, "augment-fade", FADING, 0, 0, 1, CLOSED, IMAGES_IF_SET, "X", NULL,       \
      "let the distortions shrink over this last part of the epochs")                              \
    X(REAL, augment_fade_to, "augment-fade-to", FADING, 0, 0, 1, CLOSED, IMAGES_IF_SET, "X", NULL, \
      "the part of the distortions that remains at the end")                                       \
                                                                                                   \
    X(COUNT, patience, "patience", VALIDATION, 0, 0, 1e9, CLOSED, FIRST, "N", "",                  \
      "stop after N epochs without a lower validation loss")                                       \
    X(REAL, min_delta, "min-delta", VALIDATION, 0, 0, 0, CLOSED, FIRST, "X", NULL,                 \
      "a lower loss counts only if it is lower by more than X")
/* clang-format on */

#endif
