#!/usr/bin/env bash
# Package:   unzipper 0.12.5 (with esbuild 0.27.7)
# Behaviour: the main module reaches a `require('@aws-sdk/client-s3')` that is no dependency of the package, not even an
#            optional one. Node never runs it unless a zip in S3 is opened, but a bundler resolves it: a program that only
#            imports `Open` can't be bundled. The parser alone, `unzipper/lib/Open/directory.js`, bundles.
# Seen:      main module: Could not resolve "@aws-sdk/client-s3"
#            the parser alone: bundled
# Date:      2026-11-29
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund unzipper@0.12.5 esbuild@0.27.7
echo "import { Open } from 'unzipper'; console.log(typeof Open);" > main.mjs
echo "import directory from 'unzipper/lib/Open/directory.js'; console.log(typeof directory);" > parser.mjs
bundle() { node -e "
  require('esbuild').build({ entryPoints: ['$1'], bundle: true, platform: 'node', outfile: 'out.cjs', logLevel: 'silent' })
    .then(() => 'bundled', ({ errors }) => errors[0].text).then(console.log)"; }
{ echo "main module: $(bundle main.mjs)"; echo "the parser alone: $(bundle parser.mjs)"; } | tee seen.txt
diff - seen.txt <<'TXT'
main module: Could not resolve "@aws-sdk/client-s3"
the parser alone: bundled
TXT
echo 'as seen before'
