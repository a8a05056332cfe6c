# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes tables as `xctrace export` does: each value once, references to it after that."""

from xml.sax.saxutils import escape, quoteattr

COLUMNS = {
    'metal-gpu-intervals': [
        ('start', 'start-time'), ('duration', 'duration'), ('channel-name', 'gpu-channel-name'),
        ('frame-number', 'gpu-frame-number'), ('start-latency', 'duration'),
        ('event-depth', 'metal-nesting-level'), ('event-label', 'formatted-label'),
        ('state', 'gpu-state'), ('process', 'process'), ('gpu', 'metal-device-name'),
        ('iosurface-accesses', 'formatted-label'), ('bytes', 'size-in-bytes'),
        ('cmdbuffer-id', 'metal-command-buffer-id'), ('encoder-id', 'metal-command-buffer-id')],
    'metal-application-encoders-list': [
        ('start', 'start-time'), ('duration', 'duration'), ('thread', 'thread'),
        ('process', 'process'), ('cmdbuffer-label', 'metal-object-label'),
        ('encoder-label', 'metal-object-label'), ('cmdbuffer-id', 'metal-command-buffer-id'),
        ('encoder-id', 'metal-command-buffer-id')],
    'metal-command-buffer-completed': [
        ('timestamp', 'start-time'), ('cmdbuffer-id', 'metal-command-buffer-id')],
    'metal-command-buffer-error': [
        ('timestamp', 'start-time'), ('cmdbuffer-id', 'metal-command-buffer-id'),
        ('error', 'string')],
    'metal-driver-intervals': [
        ('start', 'start-time'), ('duration', 'duration'), ('gpu-driver-name', 'gpu-driver-name'),
        ('event-type', 'metal-object-label'), ('event-depth', 'metal-nesting-level'),
        ('event-label', 'formatted-label'), ('process', 'process'), ('thread', 'thread'),
        ('gpu', 'metal-device-name')],
    'metal-gpu-state-intervals': [
        ('start', 'start-time'), ('duration', 'duration'), ('state', 'gpu-state'),
        ('num-events', 'uint32'), ('gpu', 'metal-device-name')],
    'time-profile': [
        ('time', 'sample-time'), ('thread', 'thread'), ('process', 'process'), ('core', 'core'),
        ('thread-state', 'thread-state'), ('weight', 'weight'), ('stack', 'tagged-backtrace')],
}


class Process:
    def __init__(self, name, pid):
        self.name, self.pid = name, pid


class Thread:
    def __init__(self, name, tid, process):
        self.name, self.tid, self.process = name, tid, process


class Frame:
    """A frame of a stack; BINARY is (name, path, uuid, load address) or None."""

    def __init__(self, name, address, binary, line=0, path=None):
        self.name, self.address, self.binary, self.line, self.path = name, address, binary, line, path


class Document:
    """A file of tables. FORWARD puts references before what they refer to, where that can be."""

    def __init__(self):
        self.ids = {}
        self.tables = []

    # ---- Elements ----

    def known(self, key):
        """The attribute for what is told for the first time, or again."""
        if key in self.ids:
            return f' ref="{self.ids[key]}"', True
        self.ids[key] = len(self.ids) + 1
        return f' id="{self.ids[key]}"', False

    def element(self, tag, key, shown, content):
        """CONTENT makes what is in it: ids are given in the order of the file."""
        attribute, again = self.known((tag, key))
        if again:
            return f'<{tag}{attribute}/>'
        return f'<{tag}{attribute} fmt={quoteattr(shown)}>{content()}</{tag}>'

    def process(self, process):
        return self.element('process', process, f'{process.name} ({process.pid})',
                            lambda: self.plain('pid', process.pid))

    def thread(self, thread):
        shown = f'{thread.name} {thread.tid:#x} ({thread.process.name}, pid: {thread.process.pid})'
        return self.element('thread', thread, shown, lambda: self.element(
            'tid', thread.tid, hex(thread.tid), lambda: str(thread.tid)) + self.process(thread.process))

    def frame(self, frame):
        attribute, again = self.known(('frame', frame))
        if again:
            return f'<frame{attribute}/>'
        text = f'<frame{attribute} name={quoteattr(frame.name)} addr="{frame.address:#x}">'
        if frame.binary is not None:
            name, path, uuid, load = frame.binary
            known, again = self.known(('binary', frame.binary))
            text += f'<binary{known}' + ('' if again else (
                f' name={quoteattr(name)} UUID="{uuid}" arch="arm64" load-addr="{load:#x}"'
                f' path={quoteattr(path)}')) + '/>'
        if frame.path is not None:
            text += f'<source line="{frame.line}">' + self.plain('path', frame.path) + '</source>'
        return text + '</frame>'

    def stack(self, tag, frames):
        inner = lambda: self.element('backtrace', frames, '', lambda: ''.join(map(self.frame, frames)))
        if tag == 'backtrace':
            return inner()
        return self.element(tag, frames, frames[0].name, inner)

    def label(self, parts):
        """What the program said, then what Instruments puts behind it."""
        return self.element('formatted-label', parts, ''.join(map(str, parts)), lambda: ''.join(
            self.process(part) if isinstance(part, Process) else self.plain('string', part)
            for part in parts))

    def plain(self, tag, value):
        return self.element(tag, value, str(value), lambda: escape(str(value)))

    def cell(self, tag, value):
        if value is None:
            return '<sentinel/>'
        if isinstance(value, Process):
            return self.process(value)
        if isinstance(value, Thread):
            return self.thread(value)
        if tag in ('backtrace', 'tagged-backtrace'):
            return self.stack(tag, value)
        if tag == 'formatted-label':
            return self.label(value if isinstance(value, tuple) else (value,))
        return self.plain(tag, value)

    # ---- Tables ----

    def add(self, schema, rows, columns=None, run=1, more=''):
        """ROWS are dictionaries by mnemonic; what they leave out is null."""
        columns = columns or COLUMNS[schema]
        number = len(self.tables) + 1
        place = f"//trace-toc[1]/run[{run}]/data[1]/table[{number}]"
        text = [f"<node xpath='{place}'><schema name={quoteattr(schema)}>"]
        text += [f'<col><mnemonic>{mnemonic}</mnemonic><name>{mnemonic.title()}</name>'
                 f'<engineering-type>{tag}</engineering-type></col>' for mnemonic, tag in columns]
        text.append('</schema>')
        for row in rows:
            text.append('<row>' + ''.join(self.cell(tag, row.get(mnemonic))
                                          for mnemonic, tag in columns) + '</row>\n')
        self.tables.append(''.join(text) + more + '</node>')
        return self

    def text(self):
        return '<?xml version="1.0"?>\n<trace-query-result>\n' + '\n'.join(self.tables) + \
            '</trace-query-result>\n'

    def write(self, path):
        with open(path, 'w', encoding='utf-8') as file:
            file.write(self.text())
        return path


CONTENTS = '''<?xml version="1.0"?>
<trace-toc>
  <run number="1">
    <info>
      <target>
        <device model="Loom Pro" name="loom" os-version="26.1 (25A1)" platform="macOS"/>
        <process arguments="--rows 4" type="launched" name="weaver" pid="700"/>
      </target>
      <summary>
        <start-date>2026-02-03T04:05:06.500+01:00</start-date>
        <duration>0.25</duration>
        <instruments-version>26.0 (17A1)</instruments-version>
        <template-name>Metal System Trace</template-name>
      </summary>
    </info>
    <data><table schema="metal-gpu-intervals"/><table schema="kdebug"/></data>
  </run>
</trace-toc>
'''
