# bash completion for tunnel(1)                                            -*- shell-script -*-
# SPDX-License-Identifier: MIT

# The running instance of a configuration tells the names of its services and targets.
_tunnel_names() { # CONFIG KEY
    tunnel status "$1" --json 2>/dev/null | sed -n "s/^ *\"$2\": \"\\(.*\\)\",*\$/\\1/p" | sort -u
}

_tunnel() {
    local cur prev words cword
    _init_completion -n : || return
    local commands="check probe capture convert explain status reload drain target close log-level config resolve"
    local command='' config='' i
    local -a plain=()
    for ((i = 1; i < cword; i++)); do
        [[ ${words[i]} == -* ]] && continue
        if [[ -z $command && ${#plain[@]} -eq 0 && " $commands " == *" ${words[i]} "* ]]; then
            command=${words[i]}
        else
            plain+=("${words[i]}")
        fi
    done
    config=${plain[0]-}
    case $prev in
        --log-level) mapfile -t COMPREPLY < <(compgen -W "error warning info debug" -- "$cur"); return ;;
        --layer) mapfile -t COMPREPLY < <(compgen -W "plain wire" -- "$cur"); return ;;
        --service) mapfile -t COMPREPLY < <(compgen -W "$(_tunnel_names "$config" service)" -- "$cur"); return ;;
        --control | --keylog | --save-chain | --capture | -w) _filedir; return ;;
    esac
    if [[ $cur == -* ]]; then
        local options
        options=$(tunnel ${command:+"$command"} --help 2>/dev/null | grep -oE -- '(^| )--?[a-z0-9][a-z-]*' | sort -u)
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
        return
    fi
    case $command/${#plain[@]} in
        explain/0) mapfile -t COMPREPLY < <(compgen -W "$(tunnel explain 2>/dev/null | sed -n 's/^  \([a-z][a-z0-9_.]*\) .*/\1/p')" -- "$cur") ;;
        /0)
            mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
            _filedir '@(toml|conf)'
            ;;
        */0) _filedir '@(toml|conf)' ;;
        drain/1 | resolve/1 | target/1 | capture/* | probe/*)
            mapfile -t COMPREPLY < <(compgen -W "$(_tunnel_names "$config" service)" -- "$cur") ;;
        target/2) mapfile -t COMPREPLY < <(compgen -W "$(_tunnel_names "$config" target)" -- "$cur") ;;
        target/3) mapfile -t COMPREPLY < <(compgen -W "drain enable eject weight kick" -- "$cur") ;;
        log-level/1) mapfile -t COMPREPLY < <(compgen -W "error warning info debug" -- "$cur") ;;
    esac
    __ltrim_colon_completions "$cur"
} && complete -F _tunnel tunnel
