#!/usr/bin/env bash
# Package:   puppeteer-core 24.38.0 (the one of whatsapp-web.js 1.34.7)
# Behaviour: `puppeteer.launch()` rejects with an event of its WebSocket, and not with an Error, when the browser has announced
#            its port and can't be reached there any more (it ended, or a firewall is between). `instanceof Error` is false,
#            the text made of it is "[object Object]", and the reason, with its errno, is in its field `error`.
# Seen:      is an Error: false
#            as text: [object Object]
#            its field error: ECONNREFUSED
# Date:      2026-11-30
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts puppeteer-core@24.38.0
# Announces a port on which nobody listens, and ends soon after, as a browser does that crashes at its start.
cat > browser <<'BROWSER'
#!/bin/sh
echo "DevTools listening on ws://127.0.0.1:9/devtools/browser/1" >&2
sleep 1
BROWSER
chmod +x browser
cat > see.cjs <<'JS'
const puppeteer = require('puppeteer-core');
puppeteer.launch({ executablePath: `${__dirname}/browser` }).catch((reason) => {
  console.log(`is an Error: ${reason instanceof Error}`);
  console.log(`as text: ${String(reason)}`);
  console.log(`its field error: ${reason.error?.code}`);
});
JS
node see.cjs | tee seen.txt
diff - seen.txt <<'TXT'
is an Error: false
as text: [object Object]
its field error: ECONNREFUSED
TXT
echo 'as seen before'
