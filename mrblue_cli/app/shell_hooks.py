"""What a shell runs to tell of its commands. Each hands over in the background, so that no prompt waits for it.

The command goes through a pipe, not as an argument: arguments can be read by everybody on the machine.
A command that begins with a blank is private, as in the shells' own history, and is not told.
"""

from __future__ import annotations

_ZSH = r"""
# mrblue: remembers your last commands for `mrblue ask`. To stop: remove this line and open a new shell.
zmodload -F zsh/datetime p:EPOCHREALTIME 2>/dev/null
autoload -Uz add-zsh-hook
_mrblue_preexec() { _mrblue_command=$1; _mrblue_began=$EPOCHREALTIME; }
_mrblue_precmd() {
  local ended=$? seconds
  [[ -n $_mrblue_command ]] || return 0
  (( seconds = ${EPOCHREALTIME:-0} - ${_mrblue_began:-0} ))
  if [[ $_mrblue_command != [[:blank:]]* ]]; then
    print -rn -- "$_mrblue_command" | command mrblue record "$ended" "$seconds" "$PWD" >/dev/null 2>&1 &!
  fi
  _mrblue_command=
}
add-zsh-hook preexec _mrblue_preexec
add-zsh-hook precmd _mrblue_precmd
"""

_BASH = r"""
# mrblue: remembers your last commands for `mrblue ask`. To stop: remove this line and open a new shell.
_mrblue_now() { _mrblue_time=${EPOCHREALTIME:-$SECONDS.0}; _mrblue_time=${_mrblue_time/[.,]/}; }
_mrblue_last() {
  line=$(HISTTIMEFORMAT= builtin history 1)
  line=${line#"${line%%[![:space:]]*}"}; number=${line%%[!0-9]*}; line=${line#"$number"}; line=${line#[* ] }
}
_mrblue_precmd() {
  local ended=$? line number
  if [ -n "${_mrblue_began:-}" ]; then
    _mrblue_last
    # A private command left no trace in the history: the one before it must not be told in its place.
    case ${HISTCONTROL-} in
      *ignorespace*|*ignoreboth*) [ "$number" != "$_mrblue_number" ] || line= ;;
    esac
    _mrblue_number=$number
    _mrblue_now
    case $line in
      ''|[[:blank:]]*) ;;
      *) ( printf %s "$line" | command mrblue record "$ended" "$((_mrblue_time - _mrblue_began))us" "$PWD" \
             >/dev/null 2>&1 & ) ;;
    esac
    _mrblue_began=
  elif [ -z "${_mrblue_number+set}" ]; then
    _mrblue_last; _mrblue_number=$number
  fi
  return $ended
}
_mrblue_zero=0
PS0='${_mrblue_zero:$((_mrblue_began=${EPOCHREALTIME/[.,]/}+0, 0)):0}'"${PS0-}"
PROMPT_COMMAND="_mrblue_precmd${PROMPT_COMMAND:+; $PROMPT_COMMAND}"
"""

_FISH = r"""
# mrblue: remembers your last commands for `mrblue ask`. To stop: remove this line and open a new shell.
function _mrblue_postexec --on-event fish_postexec
    set -l ended $status
    if test -n "$argv[1]"; and not string match -qr '^\s' -- $argv[1]
        printf %s $argv[1] | command mrblue record $ended {$CMD_DURATION}ms "$PWD" >/dev/null 2>&1 &
        disown 2>/dev/null
    end
end
"""

HOOKS: dict[str, str] = {"zsh": _ZSH.lstrip(), "bash": _BASH.lstrip(), "fish": _FISH.lstrip()}
"""Shell to the text it evaluates."""
LINES: dict[str, str] = {
    "zsh": 'eval "$(mrblue shell-init zsh)"   # in ~/.zshrc',
    "bash": 'eval "$(mrblue shell-init bash)"   # in ~/.bashrc',
    "fish": "mrblue shell-init fish | source   # in ~/.config/fish/config.fish",
}
"""Shell to the line that switches the hook on."""
