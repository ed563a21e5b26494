#!/bin/bash
# Pictures of a report, for a person to look at: tests/report/look.sh PAGE FOLDER. Needs chromium
# and is started by hand. Leaves wide.png and phone.png in FOLDER, each in light and dark, and fails
# if the page had anything to complain about.
set -euo pipefail

if (($# != 2)); then
  echo "usage: tests/report/look.sh PAGE FOLDER" >&2
  exit 2
fi
page=$(realpath "$1")
mkdir -p "$2"
folder=$(realpath "$2")
profile=$(mktemp -d "${TMPDIR:-/tmp}/ballast-look.XXXXXX")
trap 'rm -rf "$profile"' EXIT

# A browser's window is never as narrow as a phone; a frame in it is.
printf '<body style="margin:0"><iframe src="file://%s" width="390" height="5000" style="border:0">' \
  "$page" >"$profile/phone.html"

look() { # ADDRESS WIDTH,HEIGHT SCHEME (0: dark, 1: light) PICTURE
  chromium --headless --no-sandbox --disable-gpu --no-first-run --hide-scrollbars \
    --allow-file-access-from-files --user-data-dir="$profile/chromium" --enable-logging=stderr \
    --virtual-time-budget=4000 --window-size="$2" --blink-settings=preferredColorScheme="$3" \
    --screenshot="$folder/$4" "file://$1" 2>>"$profile/said"
}

look "$page" 1280,3800 1 wide.png
look "$page" 1280,3800 0 wide-dark.png
look "$profile/phone.html" 500,5000 1 phone.png
look "$profile/phone.html" 500,5000 0 phone-dark.png
if grep CONSOLE "$profile/said" >&2; then
  echo "the page complained" >&2
  exit 1
fi
echo "look at $folder/{wide,phone}{,-dark}.png"
