import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import * as nodeFiles from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeFileAtomically, type FileOperations } from './atomic-file.ts';
import { lockFolder } from './folder-lock.ts';

/** The stages of a run, in order. */
export const RUN_STAGES = ['track', 'fit', 'evaluate', 'bake', 'evaluateBaked', 'evaluateEdited'] as const;
export type RunStage = (typeof RUN_STAGES)[number];

/** The stages that build on each: what they wrote is void once it is done again. */
const BUILT_ON: Readonly<Record<RunStage, readonly RunStage[]>> = {
  track: ['fit', 'evaluate', 'bake', 'evaluateBaked', 'evaluateEdited'],
  fit: ['evaluate', 'bake', 'evaluateBaked', 'evaluateEdited'],
  evaluate: [],
  bake: ['evaluateBaked', 'evaluateEdited'],
  evaluateBaked: [],
  // Edits are no stage: its options tell which ones it scored.
  evaluateEdited: [],
};

export type StageStatus = 'running' | 'done';

/** What `run.json` keeps of one stage. */
export interface StageRecord {
  readonly status: StageStatus;
  /** The options that the result depends on. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Time spent, over all the runs that it took. */
  readonly seconds: number;
  /** Files written, relative to the folder. */
  readonly files: readonly string[];
  /** What the stage found out and a later one or a reader wants, e.g. counts. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** The input video of a run. */
export interface RunVideo {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

interface RunRecord {
  readonly format: 'fate-avatar run';
  readonly version: 1;
  video: RunVideo | null;
  stages: Partial<Record<RunStage, StageRecord>>;
}

/** The folder cannot be used for this run: in use, of another video, with other options, or no run folder. */
export class RunFolderError extends Error {
  override readonly name = 'RunFolderError';
}

export interface OpenRunOptions {
  /** The video that the run is of; without it, the folder must hold a run already. */
  readonly video?: RunVideo;
  /** Options of the stages about to run. */
  readonly stages?: Partial<Record<RunStage, Readonly<Record<string, unknown>>>>;
  /** Start stages afresh that were done for another video or with other options. */
  readonly force?: boolean;
  readonly files?: FileOperations;
}

const RECORD_NAME = 'run.json';

/**
 * Output folder of a run, held by one process at a time. `run.json` says which stages are done, with which options and
 * of which video; every file is written whole or not at all, so that a run stopped anywhere goes on from there.
 */
export class RunFolder {
  readonly path: string;
  readonly #record: RunRecord;
  readonly #files: FileOperations;
  readonly #release: () => Promise<void>;
  readonly #startedAt = new Map<RunStage, number>();

  private constructor(path: string, record: RunRecord, files: FileOperations, release: () => Promise<void>) {
    this.path = path;
    this.#record = record;
    this.#files = files;
    this.#release = release;
  }

  /** Opens and locks a folder; makes it when there is a video to run on. Throws `RunFolderError`, `DiskFullError`. */
  static async open(path: string, options: OpenRunOptions = {}): Promise<RunFolder> {
    const { video, stages = {}, force = false, files = nodeFiles } = options;
    const info = await stat(path).catch(() => null);
    if (info && !info.isDirectory()) throw new RunFolderError(`${path} is a file; give a folder.`);
    if (!info && !video)
      throw new RunFolderError(`${path} does not exist; make it with \`fate create\` or \`fate track\`.`);
    await mkdir(path, { recursive: true });
    const lock = await lockFolder(path);
    if ('heldBy' in lock) {
      throw new RunFolderError(
        `${path} is in use by another run (process ${lock.heldBy}); wait for it, stop it, or give another folder.`,
      );
    }
    try {
      const record = await readRecord(path, video !== undefined, force);
      const folder = new RunFolder(path, record, files, lock.release);
      await folder.#adopt(video, stages, force);
      return folder;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** The run's input; null in a folder that no video was given to. */
  get video(): RunVideo | null {
    return this.#record.video;
  }

  stage(stage: RunStage): StageRecord | null {
    return this.#record.stages[stage] ?? null;
  }

  isDone(...stages: RunStage[]): boolean {
    return stages.every((stage) => this.stage(stage)?.status === 'done');
  }

  /** Absolute path of a file of this folder. */
  resolve(name: string): string {
    return join(this.path, name);
  }

  /** Notes that a stage starts or goes on. What later stages did before is void. */
  async begin(stage: RunStage, options: Readonly<Record<string, unknown>> = {}): Promise<void> {
    this.#startedAt.set(stage, performance.now());
    await this.#reset(BUILT_ON[stage]);
    const before = this.stage(stage) ?? { seconds: 0, files: [], facts: {} };
    this.#record.stages[stage] = { ...before, options, status: 'running' };
    await this.#save();
  }

  /** Notes the time spent so far, e.g. with a checkpoint or when interrupted. */
  async pause(stage: RunStage): Promise<void> {
    this.#update(stage, {});
    await this.#save();
  }

  /** Notes that a stage is done, with what it found out. */
  async finish(stage: RunStage, facts: Readonly<Record<string, unknown>> = {}): Promise<StageRecord> {
    const record = this.#update(stage, { status: 'done', facts });
    await this.#save();
    return record;
  }

  /** Writes a stage's file, whole or not at all. Throws `DiskFullError`. */
  async write(stage: RunStage, name: string, content: string | Uint8Array): Promise<void> {
    await writeFileAtomically(await this.claim(stage, name), content, this.#files);
  }

  /** Path for a file or folder of a stage that something else writes (ffmpeg, say); the folder it is in is made. */
  async claim(stage: RunStage, name: string): Promise<string> {
    const before = this.stage(stage);
    if (!before) throw new Error(`run folder: stage "${stage}" writes "${name}" before it began`);
    if (!before.files.includes(name)) {
      this.#record.stages[stage] = { ...before, files: [...before.files, name] };
      await this.#save();
    }
    const path = this.resolve(name);
    await this.#files.mkdir(dirname(path), { recursive: true });
    return path;
  }

  /** A file of this folder, or null when it is not there. */
  async read(name: string): Promise<Uint8Array | null> {
    return readFile(this.resolve(name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
  }

  /** Removes a file, or a folder with all that is in it. */
  async remove(name: string): Promise<void> {
    await rm(this.resolve(name), { recursive: true, force: true });
  }

  /** Notes the time of a stage that did not finish, and releases the folder for others. */
  async close(): Promise<void> {
    try {
      for (const stage of this.#startedAt.keys()) if (this.stage(stage)?.status === 'running') await this.pause(stage);
    } catch {
      // the folder is as it was before; what stopped the stage is told elsewhere
    } finally {
      await this.#release();
    }
  }

  async #adopt(video: RunVideo | undefined, stages: OpenRunOptions['stages'] & {}, force: boolean): Promise<void> {
    const record = this.#record;
    // What no stage has finished is nothing to lose: a first try that failed does not bind the folder.
    const isBound = !force && RUN_STAGES.some((stage) => this.isDone(stage));
    if (video && record.video && record.video.sha256 !== video.sha256) {
      if (isBound) {
        throw new RunFolderError(
          `${this.path} holds a run of another video (${record.video.path}); give another folder, or --force to start afresh.`,
        );
      }
      await this.#reset(RUN_STAGES);
    }
    for (const stage of RUN_STAGES) {
      const [before, wanted] = [record.stages[stage]?.options, stages[stage]];
      const differences = before && wanted ? optionDifferences(before, wanted) : [];
      if (differences.length === 0) continue;
      if (isBound) {
        throw new RunFolderError(
          `${this.path} holds a run with other options (${differences.join('; ')}); give another folder, the same options, or --force to start afresh.`,
        );
      }
      await this.#reset([stage, ...BUILT_ON[stage]]);
    }
    if (!video) return;
    record.video = video;
    await this.#save();
  }

  /** Forgets stages and removes what they wrote; other files in the folder are the user's and stay. */
  async #reset(stages: readonly RunStage[]): Promise<void> {
    const names = stages.flatMap((stage) => this.stage(stage)?.files ?? []);
    for (const stage of stages) delete this.#record.stages[stage];
    if (names.length > 0) await this.#save(); // first the record: a file without one is harmless, the reverse is not
    for (const name of names) await this.remove(name);
  }

  #update(stage: RunStage, change: Partial<StageRecord>): StageRecord {
    const before = this.stage(stage);
    const startedAt = this.#startedAt.get(stage);
    if (!before || startedAt === undefined) throw new Error(`run folder: stage "${stage}" has not begun`);
    const now = performance.now();
    this.#startedAt.set(stage, now);
    const after = { ...before, ...change, seconds: before.seconds + (now - startedAt) / 1000 };
    this.#record.stages[stage] = after;
    return after;
  }

  async #save(): Promise<void> {
    const text = `${JSON.stringify(this.#record, null, 2)}\n`;
    await writeFileAtomically(this.resolve(RECORD_NAME), text, this.#files);
  }
}

async function readRecord(path: string, isNew: boolean, force: boolean): Promise<RunRecord> {
  const empty: RunRecord = { format: 'fate-avatar run', version: 1, video: null, stages: {} };
  const file = join(path, RECORD_NAME);
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) {
    if (isNew) return empty;
    throw new RunFolderError(`${path} is not the folder of a run (no ${RECORD_NAME}); make one with \`fate create\`.`);
  }
  let record: RunRecord | null = null;
  try {
    record = JSON.parse(text) as RunRecord;
  } catch {
    // told below
  }
  if (record?.format === empty.format && record.version === empty.version && record.stages) return record;
  if (force && isNew) return empty;
  throw new RunFolderError(
    `${file} is damaged or of another version; give another folder, or --force to start afresh.`,
  );
}

/** Names and values of the options that differ; undefined and absent are the same. */
function optionDifferences(
  before: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(wanted)])].toSorted();
  return names.flatMap((name) => {
    const [there, given] = [before[name], wanted[name]].map((value) => JSON.stringify(value) ?? 'nothing');
    return there === given ? [] : [`${name} is ${there} there, ${given} was given`];
  });
}
