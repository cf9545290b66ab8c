#!/usr/bin/env bash
# Package:   puppeteer-core 24.38.0 (with Debian's Chromium 156)
# Behaviour: where the folder for temporary files (TMPDIR) is missing, Chromium can't make the socket of its profile lock.
#            `puppeteer.launch()` then rejects with "The browser is already running for <userDataDir>. Use a different
#            `userDataDir` or stop the running browser first.", for a profile that is new and that no browser has ever used.
# Seen:      TMPDIR there:    launched
#            TMPDIR missing:  The browser is already running for PROFILE
# Date:      2026-11-29
set -euo pipefail
chromium=$(command -v chromium || command -v google-chrome || true)
[ -n "$chromium" ] || { echo 'SKIPPED: no Chromium on this machine'; exit 0; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts puppeteer-core@24.38.0
cat > see.cjs <<'JS'
const puppeteer = require('puppeteer-core');
const [executablePath, folder] = process.argv.slice(2);
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
async function launch(name, TMPDIR) {
  const userDataDir = `${folder}/${name}`;
  try {
    const browser = await puppeteer.launch({ executablePath, args, userDataDir, env: { ...process.env, TMPDIR } });
    await browser.close();
    return 'launched';
  } catch ({ message }) {
    return message.split('\n')[0].split('. Use ')[0].replace(userDataDir, 'PROFILE');
  }
}
(async () => {
  console.log(`TMPDIR there:    ${await launch('one', folder)}`);
  console.log(`TMPDIR missing:  ${await launch('two', `${folder}/missing`)}`);
})();
JS
timeout 60 node see.cjs "$chromium" "$work" | tee seen.txt
diff - seen.txt <<'TXT'
TMPDIR there:    launched
TMPDIR missing:  The browser is already running for PROFILE
TXT
echo 'as seen before'
