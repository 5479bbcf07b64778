import { readFileSync } from 'node:fs';
import { open, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** A process that holds a folder. `startTicks` tells it from a later process with the same id (Linux; else null). */
interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly startTicks: string | null;
}

const LOCK_NAME = 'run.lock';
/** Milliseconds after which a take-over that did not end is taken for dead. */
const GUARD_LIFETIME = 10_000;

/**
 * Takes the folder for this process, or returns who holds it. The lock of a process that is gone is taken over, however
 * that one ended.
 */
export async function lockFolder(folder: string): Promise<{ release: () => Promise<void> } | { heldBy: number }> {
  const path = join(folder, LOCK_NAME);
  const own = JSON.stringify(describeProcess(process.pid));
  let emptyReads = 0;
  for (;;) {
    if (await createExclusively(path, own)) return { release: () => rm(path, { force: true }) };
    const text = await readFile(path, 'utf8').catch(() => null);
    if (text === null) continue; // released in between
    const holder = parseHolder(text);
    if (holder && isAlive(holder)) return { heldBy: holder.pid };
    if (holder || emptyReads++ > 20) await removeStale(path, text);
    else await pause(); // created, not written yet; after a second its maker must be dead
  }
}

async function createExclusively(path: string, content: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(content);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Removes a stale lock, one process at a time: of two that saw it, the slower must not remove the quicker one's new lock.
 */
async function removeStale(path: string, staleText: string): Promise<void> {
  const guard = `${path}.takeover`;
  if (!(await createExclusively(guard, ''))) {
    const { mtimeMs = Date.now() } = (await stat(guard).catch(() => null)) ?? {};
    if (Date.now() - mtimeMs > GUARD_LIFETIME) await rm(guard, { force: true });
    return pause();
  }
  try {
    const text = await readFile(path, 'utf8').catch(() => null);
    if (text === staleText) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 50);
  });
}

function parseHolder(text: string): Holder | null {
  try {
    const holder = JSON.parse(text) as Holder;
    return Number.isInteger(holder.pid) ? holder : null;
  } catch {
    return null;
  }
}

function describeProcess(pid: number): Holder {
  return { pid, host: hostname(), startTicks: startTicksOf(pid) };
}

function isAlive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true; // on a shared disk; nothing can be known from here
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return holder.startTicks === startTicksOf(holder.pid);
}

/** Boot and start time of a process, as Linux tells them: field 22 of /proc/PID/stat, after the name in parentheses. */
function startTicksOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return null;
  }
}
