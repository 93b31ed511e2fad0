/* SPDX-License-Identifier: MIT */
/* run.json: with what command and settings, on what data, which network a run trained, and where.
 */
#include "job/run_folder_parts.h"
#include "shell/files.h"
#include "shell/output.h"

static json_t *held_json(const held_part *part)
{
    return part->path != NULL ? json_text(part->path) : json_number(part->amount);
}

json_t *run_folder_settings(const train_options *o)
{
    char *text;
    glia_settings *settled;
    need_good(glia_settings_copy(o->settings, &settled, NULL));
    if (glia_settings_settle(settled, NULL) != GLIA_OK) /* the run says what is wrong with them */
        need_good(glia_settings_copy(o->settings, &settled, NULL));
    need_good(glia_settings_json(settled, &text, NULL));
    json_t *s = json_need(json_loads(text, 0, NULL));
    glia_settings_free(settled);
    glia_string_free(text);
    json_put(s, "test", held_json(&o->test));
    json_put(s, "validation", held_json(&o->validation));
    json_put(s, "split", json_text(o->order == ORDER_LAST ? "last" : "random"));
    json_put(s, "fresh", json_need(json_boolean(o->fresh)));
    json_put(s, "data_seed", json_seed(o->source.seed));
    return s;
}

static json_t *count_samples(const glia_dataset *dataset)
{
    return json_count(dataset != NULL ? glia_dataset_describe(dataset).samples : 0);
}

static json_t *describe_data(const run_folder *f)
{
    const glia_dataset_info info = glia_dataset_describe(f->train);
    json_t *d = json_need(json_object());
    json_put(d, "name", json_text(f->data));
    json_put(d, "train_samples", json_count(info.samples));
    json_put(d, "validation_samples", count_samples(f->validation));
    json_put(d, "test_samples", count_samples(f->test));
    json_put(d, "features", json_count(info.features));
    json_put(d, "classes", json_count(info.classes));
    json_put(d, "height", json_count(info.height));
    json_put(d, "width", json_count(info.width));
    return d;
}

static json_t *describe_network(const glia_network *network)
{
    const glia_network_info info = glia_network_describe(network);
    json_t *n = json_need(json_object()), *layers = json_need(json_array());
    json_t *activations = json_need(json_array());
    bool batch_norm = false;
    json_push(layers, json_count(info.inputs));
    for (size_t l = 0; l < info.layers; l++) {
        const glia_layer_info layer = glia_network_layer(network, l);
        json_push(layers, json_count(layer.units));
        json_push(activations, json_text(glia_activation_name(layer.activation)));
        batch_norm |= layer.batch_norm;
    }
    json_put(n, "layers", layers);
    json_put(n, "activations", activations);
    json_put(n, "batch_norm", json_need(json_boolean(batch_norm)));
    json_put(n, "parameters", json_count(info.parameters));
    return n;
}

/* progress: NULL where training never began */
static json_t *describe_environment(const glia_progress *p)
{
    glia_machine machine = {.cpu = "unknown"};
    (void)glia_machine_describe(&machine, NULL);
    json_t *e = json_need(json_object());
    json_put(e, "glia", json_text(glia_version()));
    json_put(e, "features", json_text(glia_build_features()));
    json_put(e, "cpu", json_text(machine.cpu));
    json_put(e, "cores", json_count((uint64_t)machine.cores));
    json_put(e, "threads", p != NULL ? json_count((uint64_t)p->threads) : json_text(NULL));
    json_put(e, "engine", json_text(p != NULL ? p->engine : NULL));
    json_put(e, "isa", json_text(p != NULL ? p->isa : machine.isa));
    json_put(e, "precision", json_text(p != NULL ? glia_precision_name(p->precision) : NULL));
    json_put(e, "plan", json_text(p != NULL ? p->plan : NULL));
    return e;
}

bool run_folder_describe(run_folder *f, const glia_progress *p)
{
    char path[LONGEST_PATH];
    json_t *run = json_need(json_object());
    json_put(run, "format", json_text("glia-run"));
    json_put(run, "format_version", json_count(1));
    json_put(run, "started", json_text(f->started));
    json_put(run, "command", json_incref(f->command));
    json_put(run, "settings", run_folder_settings(f->options));
    json_put(run, "data", describe_data(f));
    json_put(run, "network", describe_network(f->network));
    json_put(run, "environment", describe_environment(p));
    run_folder_file(f->path, "run.json", path, sizeof path);
    f->described = true;
    return replace_json(path, run);
}
