// Runs the speed benchmarks one after the other: npm run bench [-- NAME ...], NAME being a folder of benchmarks/ with a
// NAME.ts or passes.ts in it.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const entryOf = (name) =>
  [`${name}.ts`, 'passes.ts'].map((file) => join(root, 'benchmarks', name, file)).find((file) => existsSync(file));
const all = readdirSync(join(root, 'benchmarks')).filter((name) => entryOf(name));
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`no benchmark "${unknown.join(', ')}"; there are ${all.join(', ')}`);
  process.exit(2);
}
for (const name of wanted.length > 0 ? wanted : all) {
  console.log(`\n== ${name}`);
  const args = [join(root, 'scripts/run.mjs'), entryOf(name)];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
