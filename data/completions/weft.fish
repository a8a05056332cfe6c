# SPDX-License-Identifier: GPL-3.0-or-later
# Completion for fish: weft itself says what fits; where it says nothing, files are meant.
function __weft_offer
    set -l words (commandline -opc)
    weft completion -- $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c weft -f -n 'test -n "$(__weft_offer)"' -a '(__weft_offer)'
