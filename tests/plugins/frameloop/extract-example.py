#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the first program of a language in a page: extract-example.py PAGE LANGUAGE OUT"""

import re
import sys

page, language, out = sys.argv[1:]
with open(page, encoding='utf-8') as text:
    program = re.search(rf'^```{language}\n(.*?)^```$', text.read(), re.M | re.S).group(1)
with open(out, 'w', encoding='utf-8') as source:
    source.write(program)
