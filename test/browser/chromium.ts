import { createServer } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { build, type Rolldown } from 'vite';
import { findChromium } from '../../src/platform/node/machine.mjs';
import { packageAliases } from '../../scripts/aliases.mjs';

/** In CI nothing may be skipped: a missing browser then fails the tests instead. */
const isRequired = process.env.CI === 'true' || process.env.FATE_REQUIRE_ALL === '1';
export const chromiumPath = findChromium();
export const skipBrowser = !chromiumPath && !isRequired;

/** WebGPU without a GPU, canvas included, works with exactly these (SwiftShader). */
const WEBGPU_FLAGS = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
  '--use-angle=swiftshader',
];
const QUIET_FLAGS = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run',
];

/** ONNX Runtime is too large to bundle: the page takes it, and its WebAssembly, from the package's own files. */
const ORT_FOLDER = resolve(import.meta.dirname, '../../node_modules/onnxruntime-web/dist');
const ORT_MODULE = 'onnxruntime-web/webgpu';
const PAGE = `<!doctype html><meta charset="utf-8"><script type="importmap">${JSON.stringify({
  imports: { [ORT_MODULE]: '/ort/ort.webgpu.min.mjs' },
})}</script><body style="margin:0"><script type="module" src="/page.js"></script>`;

const TYPES: Readonly<Record<string, string>> = {
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.bin': 'application/octet-stream',
};

/** A page of Chromium with a module of this folder loaded. */
export interface TestPage {
  readonly page: Page;
  /** What the page wrote to its console as errors. */
  readonly errors: readonly string[];
  close(): Promise<void>;
}

/**
 * Bundles `entry` as a page would, serves it from this machine, with `files` beside it, and opens it in Chromium with
 * WebGPU.
 */
export async function openTestPage(entry: string, files: Readonly<Record<string, Uint8Array>> = {}): Promise<TestPage> {
  if (!chromiumPath) throw new Error('Chromium is missing; `npm run setup` as root installs it, or set CHROMIUM_PATH');
  const script = await bundle(resolve(import.meta.dirname, entry));
  const server = createServer((request, response) => {
    void answer((request.url ?? '/').slice(1), script, files).then(({ type, body }) => {
      response.setHeader('content-type', type);
      response.end(body);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const profile = await mkdtemp(join(tmpdir(), 'fate-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath,
    args: [...WEBGPU_FLAGS, ...QUIET_FLAGS],
    viewport: { width: 640, height: 640 }, // 64×64 hangs screenshots
  });
  const errors: string[] = [];
  const close = async (): Promise<void> => {
    await context.close();
    server.close();
    await rm(profile, { recursive: true, force: true });
  };
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return { page, errors, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function answer(
  name: string,
  script: string,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<{ type: string; body: string | Uint8Array }> {
  if (name === 'page.js') return { type: 'text/javascript', body: script };
  const type = TYPES[extname(name)] ?? 'text/html';
  if (name.startsWith('ort/')) return { type, body: await readFile(join(ORT_FOLDER, basename(name))) };
  return { type, body: files[name] ?? PAGE };
}

/** One script with all that the entry imports. Fails when it reaches `node:` modules. */
async function bundle(entry: string): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    resolve: { alias: packageAliases },
    build: {
      write: false,
      target: 'es2023',
      minify: false,
      lib: { entry, formats: ['es'], fileName: 'page' },
      rolldownOptions: { external: [ORT_MODULE] },
    },
  });
  const [{ output }] = result as unknown as [Rolldown.RolldownOutput];
  const [chunk] = output;
  const external = chunk.imports.filter((name) => name.startsWith('node:'));
  if (external.length > 0 || output.length > 1)
    throw new Error(`the page imports ${external.join(', ') || 'further chunks'}`);
  return chunk.code;
}
