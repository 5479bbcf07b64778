import type { Model } from '../inference/model.ts';
import type { Image } from '../video/frame.ts';
import { imageFromRegion, sampleRegion, type Region } from './region.ts';

/** An axis-aligned box in pixels of the frame. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A face as the detector sees it. */
export interface Detection {
  readonly box: Box;
  /** 6×2 pixels: right eye, left eye, tip of the nose, mouth, right ear, left ear. */
  readonly keyPoints: Float32Array;
  /** 0…1. */
  readonly score: number;
}

const INPUT_SIZE = 128;
const KEY_POINTS = 6;
const VALUES_PER_BOX = 4 + 2 * KEY_POINTS;
const MINIMUM_SCORE = 0.5;
/** In parts of the frame, where many more boxes are tried and texture looms large, ask for more certainty and size. */
const MINIMUM_PART_SCORE = 0.75;
const MINIMUM_PART_WIDTH = 24;
/** Boxes that overlap more than this belong to one face. */
const MINIMUM_OVERLAP = 0.3;
/** Two anchors per cell of the 16×16 grid and six per cell of the 8×8 one (strides 8, 16, 16, 16). */
const ANCHOR_GRIDS = [
  { cells: 16, anchorsPerCell: 2 },
  { cells: 8, anchorsPerCell: 6 },
];

/** Anchor centres of BlazeFace's short-range model, 896×2 in 0…1. Its anchors have no size of their own. */
export function faceAnchors(): Float32Array {
  const centers: number[] = [];
  for (const { cells, anchorsPerCell } of ANCHOR_GRIDS) {
    for (let y = 0; y < cells; y++) {
      for (let x = 0; x < cells; x++) {
        for (let i = 0; i < anchorsPerCell; i++) centers.push((x + 0.5) / cells, (y + 0.5) / cells);
      }
    }
  }
  return new Float32Array(centers);
}

const ANCHORS = faceAnchors();

/**
 * Finds faces, largest first. Looks at the whole frame, then, when there is none and `isThorough`, at overlapping halves
 * and thirds of it: the network sees 128 pixels and misses faces below an eighth of its view.
 */
export async function detectFaces(model: Model, image: Image, isThorough = true): Promise<Detection[]> {
  const whole = {
    centerX: image.width / 2,
    centerY: image.height / 2,
    size: Math.max(image.width, image.height),
    rotation: 0,
  };
  const found = await detectInRegion(model, image, whole);
  if (found.length > 0) return bySize(mergeOverlapping(found));
  for (const share of isThorough ? [0.5, 1 / 3] : []) {
    const parts: Detection[] = [];
    for (const region of tiles(image, share)) parts.push(...(await detectInRegion(model, image, region)));
    const faces = mergeOverlapping(parts).filter(
      ({ score, box }) => score > MINIMUM_PART_SCORE && box.right - box.left >= MINIMUM_PART_WIDTH,
    );
    if (faces.length > 0) return bySize(faces);
  }
  return [];
}

function bySize(detections: Detection[]): Detection[] {
  return detections.toSorted((a, b) => boxArea(b.box) - boxArea(a.box));
}

/** Squares of `share` of the longer side, half overlapping, that cover the image. */
function tiles(image: Image, share: number): Region[] {
  const size = Math.max(image.width, image.height) * share;
  const positions = (length: number): number[] => {
    const count = Math.max(Math.ceil((length - size) / (size / 2)), 0) + 1;
    return Array.from({ length: count }, (_, i) =>
      count === 1 ? length / 2 : size / 2 + (i * (length - size)) / (count - 1),
    );
  };
  return positions(image.height).flatMap((centerY) =>
    positions(image.width).map((centerX) => ({ centerX, centerY, size, rotation: 0 })),
  );
}

/** Runs the network on one square and decodes what passes the threshold, in pixels of the image. */
async function detectInRegion(model: Model, image: Image, region: Region): Promise<Detection[]> {
  const input = sampleRegion(image, region, { size: INPUT_SIZE, low: -1, high: 1, outside: 'low' });
  const outputs = await model.run([input]);
  const boxes = outputs.find((output) => output.length === (ANCHORS.length / 2) * VALUES_PER_BOX);
  const logits = outputs.find((output) => output.length === ANCHORS.length / 2);
  return boxes && logits ? decodeDetections(boxes, logits, region) : [];
}

/** Decodes box offsets relative to the anchors: [dx, dy, width, height, key points…] in pixels of the 128² input. */
export function decodeDetections(boxes: Float32Array, logits: Float32Array, region: Region): Detection[] {
  const detections: Detection[] = [];
  for (let i = 0; i < logits.length; i++) {
    const score = 1 / (1 + Math.exp(-Math.min(Math.max(logits[i], -100), 100)));
    if (score < MINIMUM_SCORE) continue;
    const at = i * VALUES_PER_BOX;
    const locate = (dx: number, dy: number): [number, number] =>
      imageFromRegion(region, dx / INPUT_SIZE + ANCHORS[2 * i], dy / INPUT_SIZE + ANCHORS[2 * i + 1]);
    const [x, y] = locate(boxes[at], boxes[at + 1]);
    const halfWidth = ((boxes[at + 2] / INPUT_SIZE) * region.size) / 2;
    const halfHeight = ((boxes[at + 3] / INPUT_SIZE) * region.size) / 2;
    const keyPoints = new Float32Array(2 * KEY_POINTS);
    for (let k = 0; k < KEY_POINTS; k++) keyPoints.set(locate(boxes[at + 4 + 2 * k], boxes[at + 5 + 2 * k]), 2 * k);
    detections.push({
      box: { left: x - halfWidth, top: y - halfHeight, right: x + halfWidth, bottom: y + halfHeight },
      keyPoints,
      score,
    });
  }
  return detections;
}

/** Weighted non-maximum suppression: detections that overlap the best one are averaged into it by their scores. */
export function mergeOverlapping(detections: readonly Detection[]): Detection[] {
  let rest = detections.toSorted((a, b) => b.score - a.score);
  const merged: Detection[] = [];
  while (rest.length > 0) {
    const best = rest[0];
    const group = rest.filter((detection) => detection === best || overlap(detection.box, best.box) > MINIMUM_OVERLAP);
    rest = rest.filter((detection) => !group.includes(detection));
    merged.push(average(group));
  }
  return merged;
}

function average(group: readonly Detection[]): Detection {
  const total = group.reduce((sum, detection) => sum + detection.score, 0);
  const mean = (pick: (detection: Detection) => number): number =>
    group.reduce((sum, d) => sum + pick(d) * d.score, 0) / total;
  return {
    box: {
      left: mean((d) => d.box.left),
      top: mean((d) => d.box.top),
      right: mean((d) => d.box.right),
      bottom: mean((d) => d.box.bottom),
    },
    keyPoints: new Float32Array(2 * KEY_POINTS).map((_, k) => mean((d) => d.keyPoints[k])),
    score: group[0].score,
  };
}

export function boxArea(box: Box): number {
  return Math.max(box.right - box.left, 0) * Math.max(box.bottom - box.top, 0);
}

/** Intersection over union. */
export function overlap(a: Box, b: Box): number {
  const shared = boxArea({
    left: Math.max(a.left, b.left),
    top: Math.max(a.top, b.top),
    right: Math.min(a.right, b.right),
    bottom: Math.min(a.bottom, b.bottom),
  });
  return shared / Math.max(boxArea(a) + boxArea(b) - shared, 1e-9);
}
