# For tests over hosts, which name the folder of the sources in `root`; all goes when they end.
#   bring_up NAME N   makes N hosts, `hosts` names their folder; enters a new folder for NAME's files
hosts=
work=
bring_up() {
  work=$(mktemp -d "${TMPDIR:-/tmp}/ballast-$1.XXXXXX")
  trap clean EXIT
  hosts=$("$root/cluster/netns-hosts.sh" up "$2")
  cd "$work"
}

clean() {
  [[ -z $hosts ]] || "$root/cluster/netns-hosts.sh" down "$hosts"
  rm -rf "$work"
}
