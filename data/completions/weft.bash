# SPDX-License-Identifier: GPL-3.0-or-later
# Completion for bash: weft itself says what fits; where it says nothing, files are meant.
_weft () {
  local IFS=$'\n'
  COMPREPLY=($(weft completion -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *: ]] && compopt -o nospace
  COMPREPLY=("${COMPREPLY[@]// /\\ }")
}
complete -o default -F _weft weft
