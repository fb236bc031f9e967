# Completion of slipway for bash. Asks the program itself, so that it is never out of date.
_slipway() {
    local word=${COMP_WORDS[COMP_CWORD]} verbs verb="" i
    verbs=$(slipway --help 2>/dev/null | sed -n 's/^  \([a-z-]*\( [a-z-]*\)\?\)  .*/\1/p')
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in -*) break ;; esac
        verb=${verb:+$verb }${COMP_WORDS[i]}
    done
    if [[ $word == -* ]]; then
        # shellcheck disable=SC2086 # a verb may be two words
        COMPREPLY=($(compgen -W "$(slipway $verb --help 2>/dev/null | grep -o -- '--[a-z-]*' | sort -u)" -- "$word"))
    else
        local next
        next=$(sed -n "s/^${verb:+$verb }\([a-z-]*\).*/\1/p" <<<"$verbs" | sort -u)
        COMPREPLY=($(compgen -W "$next" -- "$word"))
        [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
    fi
}
complete -F _slipway slipway
