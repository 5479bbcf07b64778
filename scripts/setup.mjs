// Everything a fresh machine lacks: npm packages, a WebGPU adapter, ffmpeg, and Chromium for the tests.
//   node scripts/setup.mjs [demo|test|all]
// Runs before `npm run demo` and `npm test`; takes well under a second when everything is there. On Debian and Ubuntu as
// root it installs what is missing; elsewhere it says what to install and stops. Plain Node: nothing is installed yet.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  MINIMUM_NODE,
  aptPlan,
  deriveSource,
  findChromium,
  findFfmpeg,
  installAdvice,
  isVersionAtLeast,
  readAptSources,
  readSystem,
  runAptPlan,
} from '../src/platform/node/machine.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const purpose = process.argv[2] ?? 'all';
const requiresAll = process.env.CI === 'true' || process.env.FATE_REQUIRE_ALL === '1';
const say = (line) => console.error(`setup: ${line}`);

function stop(message) {
  say(message);
  process.exit(1);
}

/** True when node_modules holds the very packages of the lock file (those that this platform takes). */
function packagesAreInstalled() {
  const lockFile = join(root, 'package-lock.json');
  const installedFile = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installedFile)) return false;
  if (statSync(installedFile).mtimeMs >= statSync(lockFile).mtimeMs) return true;
  const wanted = JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === '' || installed[path]?.version === entry.version || (entry.optional && !installed[path]),
  );
}

function installPackages() {
  say('installing npm packages (npm ci)');
  // Elsewhere than in npm 11 (allowScripts), onnxruntime-node would fetch CUDA libraries, which nothing here uses.
  const env = { ONNXRUNTIME_NODE_INSTALL: 'skip', ...process.env };
  const npm = process.env.npm_execpath;
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund'];
  const run = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, env, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', args, { cwd: root, env, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  if (run.status !== 0)
    stop('`npm ci` failed; see its message above. Check the network and run the same command again.');
}

/** In a process of its own: a driver that crashes must not take the set-up with it. */
function hasAdapter() {
  const code = `
    const { create } = await import('webgpu');
    globalThis.dawn = create([]);
    const adapter = await globalThis.dawn.requestAdapter();
    process.exit(adapter ? 0 : 3);`;
  const args = ['--input-type=module', '--eval', code];
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'ignore', timeout: 60_000 }).status === 0;
}

function findMissing() {
  const missing = [];
  if (!hasAdapter()) missing.push('adapter');
  if (!findFfmpeg()) missing.push('ffmpeg');
  if (purpose !== 'demo' && !findChromium()) missing.push('chromium');
  return missing;
}

function install(system, plan) {
  const file = '/etc/apt/sources.list.d/fate-avatar-backports.sources';
  const source = plan.suite ? deriveSource(readAptSources(), system.codename, plan.suite) : null;
  if (source) {
    say(`adding the suite ${plan.suite} from this machine's own apt sources (${file})`);
    writeFileSync(file, source);
  }
  try {
    runAptPlan(plan, say);
  } catch (error) {
    if (source) rmSync(file, { force: true });
    stop(`apt-get failed: ${error.message}`);
  }
}

if (!['demo', 'test', 'all'].includes(purpose)) stop(`unknown purpose "${purpose}"; one of demo, test, all`);
if (!isVersionAtLeast(process.versions.node, MINIMUM_NODE)) {
  stop(`Node ${process.versions.node} is too old; ${MINIMUM_NODE} or newer is needed`);
}
if (!packagesAreInstalled()) installPackages();

let missing = findMissing();
const system = readSystem();
const plan = aptPlan(system, missing);
if (missing.length > 0 && plan && system.isRoot) {
  if (plan.packages.length + plan.backports.length > 0) install(system, plan);
  missing = findMissing();
}
for (const line of installAdvice(system, missing)) say(`missing: ${line}`);
const fatal = missing.filter((part) => part !== 'chromium' || requiresAll || purpose === 'all');
if (fatal.length > 0) process.exit(1);
if (missing.includes('chromium')) say('the browser tests will be skipped for want of Chromium');
