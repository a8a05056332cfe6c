# SPDX-License-Identifier: GPL-3.0-or-later
# Completion for bash: weft itself says what fits; where it says nothing, files are meant.
# A filter such as lane:render is one word.
COMP_WORDBREAKS=${COMP_WORDBREAKS//:}
_weft () {
  local word
  COMPREPLY=()
  while IFS= read -r word; do
    COMPREPLY+=("$(printf '%q' "$word")")
  done < <(weft completion -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *: ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -o default -F _weft weft
