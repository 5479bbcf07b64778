import { describe, expect, it } from 'vitest';
import { neutralPose } from '../head/pose.ts';
import { parseTrack, serializeTrack, TrackFileError } from './track-json.ts';
import type { Track } from './track.ts';

const track: Track = {
  headName: 'made',
  expressionNames: ['jawOpen', 'eyeBlinkLeft'],
  identityCoefficients: Float32Array.of(0.1, -2.345678901, 1e-20),
  warnings: ['Frame 3 is left out: "hand".'],
  frames: [0, 1].map((i) => ({
    sourceIndex: 3 * i,
    timestamp: i / 30,
    camera: { width: 512, height: 512, focalX: 900.5, focalY: 900.5, principalX: 256.25, principalY: -3 },
    pose: { ...neutralPose(2), headRotation: Float32Array.of(Math.PI, 0.1, 1 / 3) },
    residual: i === 0 ? 1.25 : Number.NaN,
    excluded: i === 0 ? null : 'no face',
  })),
};

/** The track's file with one value changed. */
function broken(change: (file: any) => void): string {
  const file = JSON.parse(serializeTrack(track));
  change(file);
  return JSON.stringify(file);
}

describe('track file', () => {
  it('gives back exactly what went in', () => {
    expect(parseTrack(serializeTrack(track))).toEqual(track);
    expect(serializeTrack(parseTrack(serializeTrack(track)))).toBe(serializeTrack(track));
  });

  it('names the field at fault', () => {
    const cases: [(file: any) => void, RegExp][] = [
      [(file) => delete file.headName, /^headName is missing/],
      [(file) => (file.kind = 'avatar'), /^kind is not "fate-track"/],
      [(file) => (file.version = 7), /^version is 7; this release reads version 1/],
      [(file) => delete file.frames, /^frames is missing/],
      [
        (file) => (file.frames[1].camera.focalX = null),
        /^frames\[1\]\.camera\.focalX is missing or not a finite number/,
      ],
      [(file) => (file.frames[0].camera.width = 0), /^frames\[0\]\.camera\.width is 0/],
      [(file) => (file.frames[0].pose.headRotation[2] = null), /^frames\[0\]\.pose\.headRotation\[2\] is missing/],
      [(file) => file.frames[0].pose.expressionCoefficients.pop(), /expressionCoefficients has 1 numbers instead of 2/],
      [(file) => delete file.frames[0].pose.jawPose, /^frames\[0\]\.pose\.jawPose is missing/],
      [(file) => (file.frames[0].sourceIndex = -1), /^frames\[0\]\.sourceIndex is not a frame number/],
      [(file) => (file.frames[0].excluded = 3), /^frames\[0\]\.excluded is missing or not text/],
    ];
    for (const [change, message] of cases) {
      expect(() => parseTrack(broken(change))).toThrow(TrackFileError);
      expect(() => parseTrack(broken(change))).toThrow(message);
    }
    expect(() => parseTrack('{"kind":')).toThrow(/not JSON/);
    expect(() => parseTrack('[]')).toThrow(/^track is missing or not an object/);
  });

  it('never writes NaN', () => {
    const poisoned: Track = { ...track, identityCoefficients: Float32Array.of(0, Number.NaN) };
    expect(() => serializeTrack(poisoned)).toThrow(/^identityCoefficients\[1\]/);
  });
});
