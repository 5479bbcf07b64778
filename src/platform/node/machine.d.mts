/** A part of the machine that the project needs beside Node. */
export type MachinePart = 'adapter' | 'ffmpeg' | 'chromium';

export interface System {
  /** `debian`, `ubuntu` (both with their derivatives), another ID of /etc/os-release, or Node's platform name. */
  readonly family: string;
  readonly name: string;
  readonly version: number;
  readonly codename: string;
  readonly isRoot: boolean;
  readonly hasApt: boolean;
}

export interface AptPlan {
  packages: string[];
  backports: string[];
  suite: string | null;
  notInApt: MachinePart[];
}

type Environment = Readonly<Record<string, string | undefined>>;

export const MINIMUM_NODE: string;
export function isVersionAtLeast(a: string, b: string): boolean;
export function findProgram(names: readonly string[], env?: Environment): string | null;
export function findFfmpeg(env?: Environment): string | null;
export function findChromium(env?: Environment): string | null;
export function programVersion(program: string, argument?: string): string | null;
export function readSystem(text?: string): System;
export function aptPlan(system: System, missing: readonly MachinePart[]): AptPlan | null;
export function readAptSources(root?: string): string[];
export function deriveSource(sources: readonly string[], baseSuite: string, suite: string): string | null;
export function installAdvice(system: System, missing: readonly MachinePart[]): string[];
export function runAptPlan(plan: AptPlan, say: (line: string) => void): void;
