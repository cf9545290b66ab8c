#!/usr/bin/env bash
# Package:   whatsapp-web.js 1.34.7
# Behaviour: when WhatsApp's code does not appear in the page within `authTimeoutMs`, `inject()`, and with it
#            `client.initialize()`, rejects with the plain text 'auth timeout' and not with an Error: no stack, no `message`,
#            no `cause`. What the page itself complained of in those seconds is not in it. A handler that logs
#            `error.message` prints `undefined`.
# Seen:      rejected with a string: auth timeout
#            instanceof Error: false, message: undefined
# Date:      2026-11-30
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
PUPPETEER_SKIP_DOWNLOAD=1 npm install --silent --no-audit --no-fund --ignore-scripts whatsapp-web.js@1.34.7
cat > see.cjs <<'JS'
const { Client } = require('whatsapp-web.js');
// A page in which WhatsApp's code never appears, as one that a provider blocks.
const client = new Client({ authTimeoutMs: 500 });
client.pupPage = { evaluate: async () => false };
client.inject().catch((error) => {
  console.log(`rejected with a ${typeof error}: ${error}`);
  console.log(`instanceof Error: ${error instanceof Error}, message: ${error.message}`);
});
JS
node see.cjs | tee seen.txt
diff - seen.txt <<'TXT'
rejected with a string: auth timeout
instanceof Error: false, message: undefined
TXT
echo 'as seen before'
