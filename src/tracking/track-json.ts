import type { HeadPose } from '../head/pose.ts';
import type { Camera, Track, TrackFrame } from './track.ts';

/** Version of the file that `serializeTrack` writes. Readers refuse others. */
export const TRACK_VERSION = 1;

/** A track file that is damaged or of another kind. The message names the field. */
export class TrackFileError extends Error {
  override readonly name = 'TrackFileError';
}

const VECTOR_FIELDS = [
  'headRotation',
  'headTranslation',
  'neckPose',
  'jawPose',
  'leftEyePose',
  'rightEyePose',
] as const;
const CAMERA_FIELDS = ['width', 'height', 'focalX', 'focalY', 'principalX', 'principalY'] as const;

/**
 * A track as JSON text: numbers in the units of `Track`, float32 values written so that they read back exactly. A
 * residual that is not known (a frame without a face) is null. Throws a `TrackFileError` for NaN anywhere else.
 */
export function serializeTrack(track: Track): string {
  const file = {
    kind: 'fate-track',
    version: TRACK_VERSION,
    headName: track.headName,
    expressionNames: track.expressionNames,
    identityCoefficients: shortest(track.identityCoefficients),
    warnings: track.warnings,
    frames: track.frames.map((frame) => ({
      sourceIndex: frame.sourceIndex,
      timestamp: frame.timestamp,
      camera: Object.fromEntries(CAMERA_FIELDS.map((field) => [field, frame.camera[field]])),
      pose: Object.fromEntries(
        [...VECTOR_FIELDS, 'expressionCoefficients' as const].map((field) => [field, shortest(frame.pose[field])]),
      ),
      residual: Number.isFinite(frame.residual) ? frame.residual : null,
      excluded: frame.excluded,
    })),
  };
  readTrack(file);
  // One line per frame: readable, and small changes stay small.
  const { frames, ...rest } = file;
  const lines = frames.map((frame) => JSON.stringify(frame)).join(',\n');
  return `${JSON.stringify(rest).slice(0, -1)},"frames":[\n${lines}\n]}\n`;
}

/** Reads what `serializeTrack` wrote. Throws a `TrackFileError` that names the field at fault. */
export function parseTrack(text: string): Track {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TrackFileError(
      `The track is not JSON (${error instanceof Error ? error.message : String(error)}). Track the clip again.`,
    );
  }
  return readTrack(value);
}

function readTrack(value: unknown): Track {
  const file = readObject(value, 'track');
  if (file.kind !== 'fate-track') fail('kind', 'is not "fate-track": this is no track file');
  if (file.version !== TRACK_VERSION) {
    fail('version', `is ${JSON.stringify(file.version)}; this release reads version ${TRACK_VERSION}`);
  }
  const expressionNames = readStrings(file.expressionNames, 'expressionNames');
  return {
    headName: readString(file.headName, 'headName'),
    expressionNames,
    identityCoefficients: readFloats(file.identityCoefficients, 'identityCoefficients'),
    warnings: readStrings(file.warnings, 'warnings'),
    frames: readArray(file.frames, 'frames').map((frame, i) =>
      readFrame(frame, `frames[${i}]`, expressionNames.length),
    ),
  };
}

function readFrame(value: unknown, path: string, expressionCount: number): TrackFrame {
  const frame = readObject(value, path);
  const sourceIndex = readNumber(frame.sourceIndex, `${path}.sourceIndex`);
  if (!Number.isInteger(sourceIndex) || sourceIndex < 0) fail(`${path}.sourceIndex`, 'is not a frame number');
  return {
    sourceIndex,
    timestamp: readNumber(frame.timestamp, `${path}.timestamp`),
    camera: readCamera(frame.camera, `${path}.camera`),
    pose: readPose(frame.pose, `${path}.pose`, expressionCount),
    residual: frame.residual === null ? Number.NaN : readNumber(frame.residual, `${path}.residual`),
    excluded: frame.excluded === null ? null : readString(frame.excluded, `${path}.excluded`),
  };
}

function readCamera(value: unknown, path: string): Camera {
  const camera = readObject(value, path);
  const [width, height, focalX, focalY, principalX, principalY] = CAMERA_FIELDS.map((field) =>
    readNumber(camera[field], `${path}.${field}`),
  );
  for (const [name, size] of Object.entries({ width, height, focalX, focalY })) {
    if (!(size > 0)) fail(`${path}.${name}`, `is ${size}; it must be positive`);
  }
  return { width, height, focalX, focalY, principalX, principalY };
}

function readPose(value: unknown, path: string, expressionCount: number): HeadPose {
  const pose = readObject(value, path);
  const [headRotation, headTranslation, neckPose, jawPose, leftEyePose, rightEyePose] = VECTOR_FIELDS.map((field) =>
    readFloats(pose[field], `${path}.${field}`, 3),
  );
  const expressionCoefficients = readFloats(
    pose.expressionCoefficients,
    `${path}.expressionCoefficients`,
    expressionCount,
  );
  return { headRotation, headTranslation, neckPose, jawPose, leftEyePose, rightEyePose, expressionCoefficients };
}

function readObject(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(path, 'is missing or not an object');
  return value as Record<string, unknown>;
}

function readArray(value: unknown, path: string): unknown[] {
  if (!Array.isArray(value)) fail(path, 'is missing or not a list');
  return value as unknown[];
}

function readString(value: unknown, path: string): string {
  if (typeof value !== 'string') fail(path, 'is missing or not text');
  return value as string;
}

function readStrings(value: unknown, path: string): string[] {
  return readArray(value, path).map((item, i) => readString(item, `${path}[${i}]`));
}

function readNumber(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) fail(path, 'is missing or not a finite number');
  return value as number;
}

function readFloats(value: unknown, path: string, length?: number): Float32Array {
  const items = readArray(value, path);
  if (length !== undefined && items.length !== length) fail(path, `has ${items.length} numbers instead of ${length}`);
  return Float32Array.from(items, (item, i) => readNumber(item, `${path}[${i}]`));
}

function fail(path: string, fault: string): never {
  throw new TrackFileError(`${path} ${fault}. Track the clip again, or restore the file.`);
}

/** Each float32 by the shortest decimal that reads back to it. */
function shortest(values: Float32Array): number[] {
  return Array.from(values, (value) => {
    for (let digits = 6; digits < 9; digits++) {
      const short = Number(value.toPrecision(digits));
      if (Math.fround(short) === value) return short;
    }
    return value;
  });
}
