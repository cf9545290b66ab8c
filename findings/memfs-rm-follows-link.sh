#!/usr/bin/env bash
# Package:   memfs 4.80.1
# Behaviour: `fs.promises.rm(link, { recursive: true })` on a symbolic link to a folder deletes the folder's contents behind the
#            link. `node:fs` deletes the link and leaves what it leads to. Code that is tested on memfs only looks safer, or
#            more dangerous, than it is.
# Seen:      node:fs: behind the link: kept.txt
#            memfs:   behind the link: nothing
# Date:      2026-11-29
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts memfs@4.80.1
cat > see.cjs <<'JS'
const { createFsFromVolume, Volume } = require('memfs');
const { join } = require('node:path');
async function behindLink({ promises: fs }, root) {
  await fs.mkdir(join(root, 'folder'), { recursive: true });
  await fs.writeFile(join(root, 'folder', 'kept.txt'), 'kept');
  await fs.symlink(join(root, 'folder'), join(root, 'link'));
  await fs.rm(join(root, 'link'), { recursive: true });
  return (await fs.readdir(join(root, 'folder')).catch(() => [])).join() || 'nothing';
}
(async () => {
  console.log(`node:fs: behind the link: ${await behindLink(require('node:fs'), join(__dirname, 'disk'))}`);
  console.log(`memfs:   behind the link: ${await behindLink(createFsFromVolume(new Volume()), '/disk')}`);
})();
JS
node see.cjs | tee seen.txt
diff - seen.txt <<'TXT'
node:fs: behind the link: kept.txt
memfs:   behind the link: nothing
TXT
echo 'as seen before'
