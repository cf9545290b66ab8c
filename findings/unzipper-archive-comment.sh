#!/usr/bin/env bash
# Package:   unzipper 0.12.5 (with archiver 7.0.1 to make the zips)
# Behaviour: `Open.buffer()` and `Open.file()` look for the end record of a zip in its last 80 bytes only. An ordinary zip
#            with an archive comment of some 60 characters or more is not opened: the call rejects with FILE_ENDED, which
#            reads as if the zip were cut off. With a short comment the same zip opens.
# Seen:      comment of   0: 1 entry
#            comment of  20: 1 entry
#            comment of 100: FILE_ENDED
# Date:      2026-11-29
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts unzipper@0.12.5 archiver@7.0.1
cat > see.cjs <<'JS'
const archiver = require('archiver');
const { Open } = require('unzipper');
const zip = (comment) => new Promise((resolve, reject) => {
  const made = archiver('zip', { comment });
  const parts = [];
  made.on('data', (part) => parts.push(part)).on('end', () => resolve(Buffer.concat(parts))).on('error', reject);
  made.append('hello', { name: 'hello.txt' });
  made.finalize();
});
(async () => {
  for (const length of [0, 20, 100]) {
    const opened = await Open.buffer(await zip('c'.repeat(length))).then(({ files }) => `${files.length} entry`, ({ message }) => message);
    console.log(`comment of ${String(length).padStart(3)}: ${opened}`);
  }
})();
JS
node see.cjs | tee seen.txt
diff - seen.txt <<'TXT'
comment of   0: 1 entry
comment of  20: 1 entry
comment of 100: FILE_ENDED
TXT
echo 'as seen before'
