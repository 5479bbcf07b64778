// What the machine has and what it lacks. Plain JavaScript without dependencies: `scripts/setup.mjs` runs it straight
// after a clone, before any package is installed; `fate doctor` uses the same words. Types: machine.d.mts.
import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export const MINIMUM_NODE = '20.19.0';

const CHROMIUM_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const CHROMIUM_APPLICATIONS = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** Whether version `a` (dotted numbers) is at least `b`. */
export function isVersionAtLeast(a, b) {
  const [left, right] = [a, b].map((text) => text.replace(/^v/, '').split('.').map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** Path of the first of `names` found on PATH, or null. */
export function findProgram(names, env = process.env) {
  const extensions = process.platform === 'win32' ? ['.exe', '.cmd', ''] : [''];
  for (const name of names) {
    for (const folder of (env.PATH ?? '').split(delimiter)) {
      for (const extension of extensions) {
        const path = join(folder, name + extension);
        if (folder && isExecutable(path)) return path;
      }
    }
  }
  return null;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Path of ffmpeg: FFMPEG_PATH, else from PATH, else null. */
export function findFfmpeg(env = process.env) {
  if (env.FFMPEG_PATH) return isExecutable(env.FFMPEG_PATH) ? env.FFMPEG_PATH : null;
  return findProgram(['ffmpeg'], env);
}

/** Path of Chromium or Chrome: CHROMIUM_PATH, else from PATH, else the usual places, else null. */
export function findChromium(env = process.env) {
  if (env.CHROMIUM_PATH) return isExecutable(env.CHROMIUM_PATH) ? env.CHROMIUM_PATH : null;
  return findProgram(CHROMIUM_NAMES, env) ?? CHROMIUM_APPLICATIONS.find(isExecutable) ?? null;
}

/** First line of `program argument`, or null when it does not run. */
export function programVersion(program, argument = '--version') {
  const run = spawnSync(program, [argument], { encoding: 'utf8', timeout: 10_000 });
  return run.status === 0 ? (run.stdout.split('\n')[0] ?? '').trim() : null;
}

/** The operating system, from /etc/os-release where there is one. */
export function readSystem(text = readIfThere('/etc/os-release')) {
  const fields = Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const match = /^(\w+)="?([^"]*)"?$/.exec(line.trim());
      return match ? [[match[1], match[2]]] : [];
    }),
  );
  const names = [fields.ID ?? '', ...(fields.ID_LIKE ?? '').split(' ')];
  const family = names.includes('ubuntu')
    ? 'ubuntu'
    : names.includes('debian')
      ? 'debian'
      : (fields.ID ?? process.platform);
  return {
    family,
    name: fields.PRETTY_NAME ?? process.platform,
    version: Number.parseFloat(fields.VERSION_ID ?? 'NaN'),
    codename: fields.UBUNTU_CODENAME ?? fields.VERSION_CODENAME ?? '',
    isRoot: process.getuid?.() === 0,
    hasApt: findProgram(['apt-get']) !== null,
  };
}

function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/**
 * What apt has to install for the missing parts (`adapter`, `ffmpeg`, `chromium`): plain packages, packages of the
 * backports suite, and parts that apt does not have. Null on a system without apt.
 */
export function aptPlan(system, missing) {
  if (!system.hasApt || (system.family !== 'debian' && system.family !== 'ubuntu')) return null;
  const plan = { packages: [], backports: [], suite: null, notInApt: [] };
  for (const part of missing) {
    if (part === 'ffmpeg') plan.packages.push('ffmpeg');
    else if (part === 'chromium' && system.family === 'debian') plan.packages.push('chromium');
    else if (part === 'chromium')
      plan.notInApt.push('chromium'); // Ubuntu's package is a snap, which no container runs
    else if (system.family === 'debian' && system.version === 12) plan.backports.push('mesa-vulkan-drivers');
    else plan.packages.push('mesa-vulkan-drivers');
  }
  // Debian 12's own Mesa (22.3) gives no WebGPU adapter; the one in its backports does.
  if (plan.backports.length > 0) plan.suite = `${system.codename}-backports`;
  return plan;
}

/** The machine's apt sources: one text per file. */
export function readAptSources(root = '/etc/apt') {
  const files = [join(root, 'sources.list')];
  const folder = join(root, 'sources.list.d');
  if (existsSync(folder))
    files.push(
      ...readdirSync(folder)
        .sort()
        .map((name) => join(folder, name)),
    );
  return files.filter((file) => /\.(list|sources)$/.test(file)).map(readIfThere);
}

/**
 * A deb822 source for `suite`, copied from the entry of `baseSuite` among the machine's own sources (mirror, signing
 * key and trust stay its own). Null when `suite` is there already; throws when there is no entry to copy.
 */
export function deriveSource(sources, baseSuite, suite) {
  const entries = sources.flatMap((text) => [...deb822Entries(text), ...oneLineEntries(text)]);
  if (entries.some((entry) => entry.suites.includes(suite))) return null;
  const base = entries.find((entry) => entry.suites.includes(baseSuite) && entry.components.includes('main'));
  if (!base) throw new Error(`no apt source of this machine has the suite "${baseSuite}"; add "${suite}" by hand`);
  const lines = ['Types: deb', `URIs: ${base.uris}`, `Suites: ${suite}`, 'Components: main'];
  for (const [key, value] of Object.entries(base.options)) lines.push(`${key}: ${value}`);
  return `${lines.join('\n')}\n`;
}

function deb822Entries(text) {
  if (!/^Types:/m.test(text)) return [];
  return text
    .split(/\n\s*\n/)
    .map((paragraph) => {
      const fields = {};
      let key = '';
      for (const line of paragraph.split('\n')) {
        if (line.startsWith('#')) continue;
        const match = /^([\w-]+):\s*(.*)$/.exec(line);
        if (match) fields[(key = match[1])] = match[2];
        else if (key && /^\s/.test(line)) fields[key] += `\n${line}`; // a folded value, such as an inline key
      }
      return fields;
    })
    .filter((fields) => /\bdeb\b/.test(fields.Types ?? '') && fields.URIs && fields.Enabled !== 'no')
    .map((fields) => ({
      uris: fields.URIs,
      suites: (fields.Suites ?? '').split(/\s+/),
      components: (fields.Components ?? '').split(/\s+/),
      options: pick(fields, ['Signed-By', 'Trusted', 'Architectures', 'Check-Valid-Until']),
    }));
}

const ONE_LINE_OPTIONS = {
  'signed-by': 'Signed-By',
  trusted: 'Trusted',
  arch: 'Architectures',
  'check-valid-until': 'Check-Valid-Until',
};

function oneLineEntries(text) {
  return text.split('\n').flatMap((line) => {
    const match = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line.trim());
    if (!match) return [];
    const options = {};
    for (const option of (match[1] ?? '').split(/\s+/).filter(Boolean)) {
      const [key, value] = option.split('=');
      const name = ONE_LINE_OPTIONS[key.toLowerCase()];
      if (name && value) options[name] = value.replaceAll(',', ' ');
    }
    return [{ uris: match[2], suites: [match[3]], components: match[4].trim().split(/\s+/), options }];
  });
}

function pick(fields, keys) {
  return Object.fromEntries(keys.filter((key) => fields[key] !== undefined).map((key) => [key, fields[key]]));
}

const PURPOSE = {
  adapter: 'a WebGPU adapter (a Vulkan driver, software will do): everything is computed on it',
  ffmpeg: 'ffmpeg: decodes videos and writes turntables',
  chromium: 'Chromium or Chrome: for the browser tests alone',
};

const ELSEWHERE = {
  fedora: {
    adapter: 'dnf install mesa-vulkan-drivers',
    ffmpeg: 'dnf install ffmpeg-free',
    chromium: 'dnf install chromium',
  },
  arch: { adapter: 'pacman -S vulkan-swrast', ffmpeg: 'pacman -S ffmpeg', chromium: 'pacman -S chromium' },
  alpine: {
    adapter: 'use a distribution with glibc (Debian, Ubuntu, Fedora): Dawn has no build for musl',
    ffmpeg: 'apk add ffmpeg',
    chromium: 'apk add chromium',
  },
  darwin: {
    adapter: 'nothing to install: Metal is part of macOS; update the system',
    ffmpeg: 'brew install ffmpeg',
    chromium: 'brew install --cask google-chrome',
  },
  win32: {
    adapter: 'update the graphics driver (Direct3D 12)',
    ffmpeg: 'winget install Gyan.FFmpeg',
    chromium: 'winget install Google.Chrome',
  },
};

/** One line per missing part: what it is for, and the command that installs it here. */
export function installAdvice(system, missing) {
  const plan = aptPlan(system, missing);
  return missing.map((part) => {
    let how;
    if (plan && !plan.notInApt.includes(part)) {
      const single = aptPlan(system, [part]);
      const suite = single.suite ? `-t ${single.suite} ` : '';
      how = `apt-get install --no-install-recommends ${suite}${[...single.packages, ...single.backports].join(' ')}`;
      how += ' (as root; `npm run setup` as root does it)';
    } else if (plan) {
      how =
        "install Google Chrome's .deb package, or a Chromium that is not a snap, and set CHROMIUM_PATH if it is not on PATH";
    } else {
      how = ELSEWHERE[system.family]?.[part] ?? `install it with this system's package manager (${system.name})`;
    }
    return `${PURPOSE[part]}. ${how}`;
  });
}

/** Installs what the plan lists (apt, as root). `say` gets a line per step. Throws when apt fails. */
export function runAptPlan(plan, say) {
  const apt = (...args) => {
    say(`apt-get ${args.join(' ')}`);
    execFileSync('apt-get', args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  };
  try {
    apt('update', '-qq');
  } catch {
    say('apt-get update had errors; going on with the lists that there are'); // a third-party source may be down
  }
  if (plan.packages.length > 0) apt('install', '-y', '-qq', '--no-install-recommends', ...plan.packages);
  if (plan.backports.length > 0) {
    apt('install', '-y', '-qq', '--no-install-recommends', '-t', plan.suite, ...plan.backports);
  }
}
