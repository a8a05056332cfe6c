// SPDX-License-Identifier: LGPL-2.1-or-later
// Uses a main loop as scripts do, and says how often.
const { Gio, GLib } = imports.gi;

const loop = GLib.MainLoop.new (null, false);
let idle = 0, timeout = 0, files = 0;

function readNext ()
{
  if (files === 5)
    {
      loop.quit ();
      return;
    }
  Gio.File.new_for_path ('/etc/passwd').load_contents_async (null, (file, result) => {
    file.load_contents_finish (result);
    files++;
    readNext ();
  });
}

GLib.idle_add (GLib.PRIORITY_DEFAULT_IDLE, () => ++idle < 30);
GLib.timeout_add (GLib.PRIORITY_DEFAULT, 2, () => {
  if (++timeout < 10)
    return true;
  readNext ();
  return false;
});
loop.run ();
print (`idle ${idle}\ntimeout ${timeout}\nfiles ${files}`);
