/** Packs rectangles into a strip of a given width, lowest place first (skyline, bottom-left). All of it deterministic. */
export interface Placement {
  readonly x: number;
  readonly y: number;
  /** Turned by 90°: width and height are swapped. */
  readonly turned: boolean;
}

export interface Rectangle {
  readonly width: number;
  readonly height: number;
  readonly mayTurn: boolean;
}

interface Segment {
  x: number;
  y: number;
  width: number;
}

/** Placements in the order of `rectangles` (place the large ones first), or null when they do not fit `width`×`height`. */
export function packSkyline(rectangles: readonly Rectangle[], width: number, height: number): Placement[] | null {
  let skyline: Segment[] = [{ x: 0, y: 0, width }];
  const placements: Placement[] = [];
  for (const { width: w, height: h, mayTurn } of rectangles) {
    const upright = lowestPlace(skyline, w, width);
    const turned = mayTurn ? lowestPlace(skyline, h, width) : null;
    const isTurned = turned !== null && (upright === null || turned.y + w < upright.y + h);
    const place = isTurned ? turned : upright;
    const [placedWidth, placedHeight] = isTurned ? [h, w] : [w, h];
    if (!place || place.y + placedHeight > height) return null;
    skyline = raise(skyline, place.x, placedWidth, place.y + placedHeight);
    placements.push({ x: place.x, y: place.y, turned: isTurned });
  }
  return placements;
}

/** The lowest, then leftmost, place for something `w` wide. */
function lowestPlace(skyline: readonly Segment[], w: number, width: number): { x: number; y: number } | null {
  let best: { x: number; y: number } | null = null;
  for (let first = 0; first < skyline.length; first++) {
    const x = skyline[first].x;
    if (x + w > width) break;
    let y = 0;
    for (let i = first; i < skyline.length && skyline[i].x < x + w; i++) y = Math.max(y, skyline[i].y);
    if (!best || y < best.y) best = { x, y };
  }
  return best;
}

/** The skyline after [x, x + w] has risen to `y`. */
function raise(skyline: readonly Segment[], x: number, w: number, y: number): Segment[] {
  const raised: Segment[] = [];
  for (const segment of skyline) {
    const end = segment.x + segment.width;
    if (segment.x < x) raised.push({ ...segment, width: Math.min(segment.width, x - segment.x) });
    if (end > x + w) {
      const start = Math.max(segment.x, x + w);
      raised.push({ x: start, y: segment.y, width: end - start });
    }
  }
  raised.push({ x, y, width: w });
  return raised.toSorted((a, b) => a.x - b.x);
}
