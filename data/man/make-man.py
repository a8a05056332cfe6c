#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the manual pages out of what the commands say of themselves.

    make-man.py WEFT CLI.MD FOLDER

CLI.MD is docs/cli.md: its sections become those of weft(1).
"""

import os
import re
import subprocess
import sys


def roff(text):
    """Text as it is, whatever roff makes of backslashes, hyphens and leading dots."""
    text = text.replace('\\', '\\e').replace('-', '\\-')
    return re.sub(r"(?m)^(?=[.'])", '\\&', text)


def marked(text):
    """The marks of Markdown that docs/cli.md uses."""
    text = roff(text)
    text = re.sub(r'\[([^]]*)\]\([^)]*\)', r'\1', text)
    text = re.sub(r'`([^`]*)`', r'\\fB\1\\fR', text)
    return re.sub(r'\*([^*]+)\*', r'\\fI\1\\fR', text)


class Help:
    """What `weft COMMAND --help` says."""

    def __init__(self, weft, command):
        text = subprocess.run([weft, *command.split(), '--help'], check=True, stdout=subprocess.PIPE,
                              env=dict(os.environ, LC_ALL='C.UTF-8', COLUMNS='200')).stdout.decode()
        self.usage = re.search(r'^Usage:\n\s*(.*)$', text, re.M).group(1)
        before, _, options = text.partition('Application Options:')
        self.summary = ' '.join(before.partition('\n\n')[2].split('Help Options:')[0].split())
        self.options = re.findall(r'^ +(-\S.*?)(?:  +(.*))?$', options, re.M)


def page(title, name, body):
    return f'.TH "{title.upper()}" 1 "" "weft" "User commands"\n.SH NAME\n{name}\n{body}'


def page_of_command(weft, command, summary):
    told = Help(weft, command)
    lines = [f'.SH SYNOPSIS\n\\fB{roff(told.usage)}\\fR', f'.SH DESCRIPTION\n{roff(told.summary)}']
    if told.options:
        lines.append('.SH OPTIONS')
    for option, meaning in told.options:
        lines.append(f'.TP\n\\fB{roff(option)}\\fR\n{roff(meaning)}')
    lines.append('.SH SEE ALSO\n\\fBweft\\fR(1)')
    title = 'weft-' + command.replace(' ', '-')
    return title, page(title, f'{roff(title)} \\- {roff(summary)}', '\n'.join(lines) + '\n')


def table_of(lines):
    rows = [[cell.strip() for cell in line.strip('|').split(' | ')] for line in lines]
    return '\n'.join(f'.TP\n{marked(row[0])}\n{marked(" ".join(row[1:]))}' for row in rows[2:])


def sections_of(markdown):
    """(heading, roff) of each section."""
    for section in re.split(r'(?m)^#+ ', markdown)[1:]:
        heading, _, body = section.partition('\n')
        parts = []
        for paragraph in re.split(r'\n\n+', body.strip()):
            lines = paragraph.split('\n')
            parts.append(table_of(lines) if lines[0].startswith('|') else f'.PP\n{marked(paragraph)}')
        yield heading, '\n'.join(parts)


def main():
    weft, markdown, folder = sys.argv[1:]
    listed = subprocess.run([weft, '--help'], check=True, stdout=subprocess.PIPE).stdout.decode()
    commands = re.findall(r'^  ([a-z]+(?: [a-z]+)?)  +(.*)$', listed, re.M)
    os.makedirs(folder, exist_ok=True)
    pages = dict(page_of_command(weft, *command) for command in commands)
    with open(markdown, encoding='utf-8') as file:
        body = ''.join(f'.SH {marked(heading).upper()}\n{text}\n' for heading, text in sections_of(file.read()))
    body = '.SH SYNOPSIS\n\\fBweft\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n' + body
    pages['weft'] = page('weft', 'weft \\- record programs and ask what they did', body)
    for name, text in pages.items():
        with open(os.path.join(folder, f'{name}.1'), 'w', encoding='utf-8') as file:
            file.write(text)


main()
