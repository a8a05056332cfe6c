// SPDX-License-Identifier: LGPL-2.1-or-later
// The public interface as JavaScript sees it: gjs smoke.js RECORDING

imports.gi.versions.Weft = '1';
const {Gio, GLib, Weft} = imports.gi;

let number = 0;
let failed = false;

function test(name, body) {
    number++;
    try {
        body();
        print(`ok ${number} - ${name}`);
    } catch (error) {
        failed = true;
        print(`# ${error}\n# ${error.stack}\nnot ok ${number} - ${name}`);
    }
}

function equal(given, expected) {
    if (given !== expected)
        throw new Error(`${given} instead of ${expected}`);
}

function throws(body, code) {
    try {
        body();
    } catch (error) {
        if (error instanceof GLib.Error && error.matches(Weft.error_quark(), code))
            return;
        throw error;
    }
    throw new Error('nothing was thrown');
}

const recording = Weft.Recording.open(Gio.File.new_for_path(ARGV[0]), null);

print('1..6');
test('lanes and their dispatches', () => {
    const lanes = recording.get_lanes();
    let dispatches = 0;

    for (let i = 0; i < lanes.get_n_items(); i++) {
        const lane = lanes.get_item(i);
        equal(lane.constructor, Weft.Lane);
        equal(lane.handle, `l-${lane.id}`);
        dispatches += lane.get_dispatches().get_n_items();
    }
    equal(dispatches, recording.get_dispatches().get_n_items());
    equal(dispatches, recording.get_n_rows('dispatches'));
});
test('fields of a dispatch', () => {
    const dispatch = recording.find('d-1');

    equal(dispatch.get_end(), dispatch.get_start() + dispatch.get_duration());
    equal(dispatch.self_time, dispatch.get_self_time());
    equal(dispatch.get_lane().equal(dispatch.lane), true);
    equal(dispatch.get_value('id').unpack(), 'd-1');
    equal(dispatch.get_value('start').get_int64(), dispatch.start);
    if (!dispatch.has_queue_wait())
        equal(dispatch.get_value('queue_wait'), null);
});
test('a source text', () => {
    const sources = recording.get_sources();
    let bytes = 0;

    for (let i = 0; i < sources.get_n_items(); i++) {
        try {
            bytes += sources.get_item(i).get_text().get_size();
        } catch (error) {
            equal(error.matches(Weft.error_quark(), Weft.Error.NO_SUCH_OBJECT), true);
        }
    }
    equal(bytes > 0, true);
});
test('facts', () => {
    equal(recording.state, Weft.RecordingState.COMPLETE);
    equal(recording.live, false);
    equal(recording.duration > 0, true);
    equal(recording.get_meta('host'), recording.host);
});
test('errors', () => {
    throws(() => recording.find('nonsense'), Weft.Error.NO_SUCH_OBJECT);
    throws(() => Weft.Recording.open(Gio.File.new_for_path('/dev/zero'), null),
        Weft.Error.NOT_A_RECORDING);
});
test('a subscription', () => {
    const loop = new GLib.MainLoop(null, false);
    const subscription = Weft.Subscription.new(recording, Weft.EventKinds.DISPATCH);
    let rows = 0;
    let problem = null;

    function onBatch(source, result) {
        try {
            const batch = source.read_finish(result);
            if (batch === null) {
                loop.quit();
                return;
            }
            rows += batch.get_table(Weft.EventKinds.DISPATCH).get_n_rows();
            source.read_async(700, null, onBatch);
        } catch (error) {
            problem = error;
            loop.quit();
        }
    }

    subscription.read_async(700, null, onBatch);
    loop.run();
    if (problem !== null)
        throw problem;
    equal(rows, recording.get_n_rows('dispatches'));
});
imports.system.exit(failed ? 1 : 0);
