#!/usr/bin/env bash
# Prints the browser that tests/page drives: the one that CHROMIUM names, else one that is installed, else Debian's, which
# root installs by apt-get, else the one that Playwright downloads for this user ("playwright" is printed then).
# Usage: browser.sh PYTHON
set -euo pipefail

for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
  if [ -n "$name" ] && path=$(command -v "$name"); then
    echo "$path"
    exit
  fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing chromium by apt-get" >&2
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium; } >/dev/null || true
  if path=$(command -v chromium); then
    echo "$path"
    exit
  fi
fi
if "$1" -m playwright install chromium-headless-shell >&2; then
  echo playwright
  exit
fi
cat >&2 <<'END'
****************************************************************************
There is no Chromium, and it could not be had: the tests of the page that
`lakesmith docs` makes are SKIPPED. Install one (as root: apt-get install
chromium) or name one by CHROMIUM=/path/to/it, and run make test-page.
****************************************************************************
END
