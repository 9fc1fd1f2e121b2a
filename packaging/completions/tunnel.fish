# SPDX-License-Identifier: MIT
# fish completion for tunnel(1)

set -l commands check probe capture convert explain status reload drain target close log-level config resolve

function __tunnel_names
    set -l words (commandline -opc)
    tunnel status $words[3] --json 2>/dev/null | string match -rg '^ *"'$argv[1]'": "(.*)",*$' | sort -u
end

complete -c tunnel -n "not __fish_seen_subcommand_from $commands" -a "$commands"
complete -c tunnel -s f -l foreground -d "stay in the foreground"
complete -c tunnel -l log-level -xa "error warning info debug"
complete -c tunnel -l control -rF -d "the control socket"
complete -c tunnel -s h -l help
complete -c tunnel -s V -l version
complete -c tunnel -n "__fish_seen_subcommand_from drain resolve target capture probe" -a "(__tunnel_names service)"
complete -c tunnel -n "__fish_seen_subcommand_from target" -a "(__tunnel_names target) drain enable eject weight kick"
complete -c tunnel -n "__fish_seen_subcommand_from log-level" -a "error warning info debug"
complete -c tunnel -n "__fish_seen_subcommand_from explain" -xa "(tunnel explain 2>/dev/null | string match -rg '^  ([a-z][a-z0-9_.]*) ')"
