#!/usr/bin/env bash
# Package:   webpack 5.113.0
# Behaviour: with `target: 'node'` and ES module output, webpack answers `typeof __filename` while it bundles: the expression
#            becomes the text 'string'. The name itself stays as it is, and an ES module has none. The usual guard
#            `typeof __filename === 'string' ? __filename : fallback` is therefore always taken, and throws a ReferenceError.
# Seen:      plain node: guarded, undefined
#            bundled:    ReferenceError
# Date:      2026-11-29
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts webpack@5.113.0
cat > main.mjs <<'JS'
try {
  console.log(typeof __filename === 'string' ? `taken, ${typeof __filename.length}` : 'guarded, undefined');
} catch (error) {
  console.log(error.name);
}
JS
cat > bundle.cjs <<'JS'
require('webpack')({
  mode: 'production', target: 'node', entry: './main.mjs', experiments: { outputModule: true },
  optimization: { minimize: false },
  output: { path: __dirname, filename: 'out.mjs', module: true, chunkFormat: 'module' },
}, (error, stats) => { if (error || stats.hasErrors()) { console.error(error ?? stats.toString()); process.exit(1); } });
JS
node bundle.cjs
{ echo "plain node: $(node main.mjs)"; echo "bundled:    $(node out.mjs)"; } | tee seen.txt
diff - seen.txt <<'TXT'
plain node: guarded, undefined
bundled:    ReferenceError
TXT
echo 'as seen before'
