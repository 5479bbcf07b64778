import type { Image } from '../video/frame.ts';
import { Canvas, INK, resize, textWidth, WHITE, type Rgb } from './canvas.ts';
import { GLYPH_HEIGHT } from './bitmap-font.ts';

/** A picture with words under it. */
export interface Cell {
  readonly image: Image;
  readonly caption?: string;
}

export interface SheetLayout {
  readonly columns: number;
  /** Edge of a cell's picture in pixels; pictures are fitted into it. */
  readonly cellSize: number;
  /** Words at the left of each row. */
  readonly rowLabels?: readonly string[];
  readonly title?: string;
}

const MARGIN = 16;
const GAP = 8;
const TEXT_SCALE = 2;
const LINE = GLYPH_HEIGHT * TEXT_SCALE + 8;
const GREY: Rgb = [110, 114, 124];
const BORDER: Rgb = [225, 227, 232];

/** Pictures in a grid, row by row, with captions, row labels and a title. Pictures with alpha lie on white. */
export function contactSheet(cells: readonly Cell[], layout: SheetLayout): Canvas {
  const { columns, cellSize, rowLabels, title } = layout;
  const rows = Math.ceil(cells.length / columns);
  const labelWidth = rowLabels ? Math.max(...rowLabels.map((label) => textWidth(label, TEXT_SCALE))) + GAP * 2 : 0;
  const rowTops = [MARGIN + (title ? LINE + GAP : 0)];
  for (let row = 0; row < rows; row++) {
    const hasCaption = cells.slice(row * columns, (row + 1) * columns).some((cell) => cell.caption);
    rowTops.push(rowTops[row]! + cellSize + (hasCaption ? LINE : 0) + GAP);
  }
  const gridWidth = labelWidth + columns * (cellSize + GAP) - GAP;
  const canvas = new Canvas(2 * MARGIN + gridWidth, rowTops[rows]! - GAP + MARGIN);
  if (title) {
    const fits = fitText(title, gridWidth);
    canvas.text(MARGIN, MARGIN, fits.text, fits.scale, INK);
  }
  rowLabels?.forEach((label, row) => {
    canvas.text(MARGIN, rowTops[row]! + Math.floor(cellSize / 2) - GLYPH_HEIGHT, label, TEXT_SCALE, GREY);
  });
  cells.forEach(({ image, caption }, index) => {
    const left = MARGIN + labelWidth + (index % columns) * (cellSize + GAP);
    const cellTop = rowTops[Math.floor(index / columns)]!;
    const ratio = Math.min(cellSize / image.width, cellSize / image.height);
    const fitted = resize(image, Math.round(image.width * ratio), Math.round(image.height * ratio));
    canvas.fill(left - 1, cellTop - 1, cellSize + 2, cellSize + 2, BORDER);
    canvas.fill(left, cellTop, cellSize, cellSize, WHITE);
    const inset = [cellSize - fitted.width, cellSize - fitted.height].map((rest) => Math.floor(rest / 2));
    canvas.draw(fitted, left + inset[0]!, cellTop + inset[1]!);
    if (!caption) return;
    const fits = fitText(caption, cellSize);
    const offset = Math.floor((cellSize - textWidth(fits.text, fits.scale)) / 2);
    canvas.text(left + offset, cellTop + cellSize + 6, fits.text, fits.scale, GREY);
  });
  return canvas;
}

/** The text at full size, else at half of it, else cut. */
function fitText(text: string, width: number): { text: string; scale: number } {
  for (const scale of [TEXT_SCALE, 1]) if (textWidth(text, scale) <= width) return { text, scale };
  return { text: [...text].slice(0, Math.floor(width / 6)).join(''), scale: 1 };
}

/** Absolute difference of two pictures, mean over channels, on a scale from white over red to black; full at 0.25. */
export function errorImage(truth: Image, rendering: Image): Image {
  const { width, height } = truth;
  if (rendering.width !== width || rendering.height !== height) {
    throw new RangeError(
      `errorImage: pictures are ${width}×${height} and ${rendering.width}×${rendering.height}; resize one first`,
    );
  }
  const [a, b] = [truth, rendering].map((image) => onWhite(image));
  const data = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    let difference = 0;
    for (let channel = 0; channel < 3; channel++)
      difference += Math.abs(a![pixel * 3 + channel]! - b![pixel * 3 + channel]!);
    data.set(heat(difference / 3 / 255 / ERROR_FULL_SCALE), pixel * 3);
  }
  return { width, height, channels: 3, data };
}

/** Difference (of 1) that `errorImage` draws in its last colour. */
export const ERROR_FULL_SCALE = 0.25;
const HEAT_STOPS: readonly Rgb[] = [
  [255, 255, 255],
  [254, 217, 142],
  [240, 110, 50],
  [170, 20, 45],
  [40, 0, 30],
];

function heat(value: number): number[] {
  const position = Math.min(1, Math.max(0, value)) * (HEAT_STOPS.length - 1);
  const index = Math.min(HEAT_STOPS.length - 2, Math.floor(position));
  const [low, high] = [HEAT_STOPS[index]!, HEAT_STOPS[index + 1]!];
  return low.map((start, channel) => Math.round(start + (position - index) * (high[channel]! - start)));
}

function onWhite(image: Image): Uint8Array {
  const canvas = new Canvas(image.width, image.height);
  canvas.draw(image, 0, 0);
  return canvas.data;
}

/** One held-out frame for `heldOutSheet`. */
export interface HeldOutExample {
  /** RGBA, alpha its matte. */
  readonly truth: Image;
  readonly rendering: Image;
  readonly caption: string;
}

/** `held-out.png`: columns of frames, rows of truth, rendering, error. */
export function heldOutSheet(examples: readonly HeldOutExample[], cellSize = 256): Canvas {
  const cells = [
    ...examples.map(({ truth }) => ({ image: truth })),
    ...examples.map(({ rendering }) => ({ image: rendering })),
    ...examples.map(({ truth, rendering, caption }) => ({ image: errorImage(truth, rendering), caption })),
  ];
  return contactSheet(cells, {
    columns: Math.max(1, examples.length),
    cellSize,
    rowLabels: ['truth', 'avatar', 'error'],
    title: `frames the avatar was not fitted to; error black at ${ERROR_FULL_SCALE}`,
  });
}

/** `turntable.png`: views round the head, each with its angle in degrees. */
export function turntableSheet(views: readonly { yaw: number; image: Image }[], cellSize = 256): Canvas {
  const cells = views.map(({ yaw, image }) => ({ image, caption: `${Math.round(yaw)}°` }));
  return contactSheet(cells, { columns: Math.min(4, Math.max(1, views.length)), cellSize });
}

/** `expressions.png`: one picture per expression, with its name. */
export function expressionSheet(expressions: readonly Required<Cell>[], cellSize = 256): Canvas {
  return contactSheet(expressions, { columns: Math.min(4, Math.max(1, expressions.length)), cellSize });
}

/** A frame with points over it, in its pixels: x, y pairs. */
export interface LandmarkExample {
  readonly image: Image;
  readonly layers: readonly { readonly points: ArrayLike<number>; readonly color: Rgb }[];
  readonly caption: string;
}

/** `landmarks.png`: the track over frames. Points are drawn on the picture at the sheet's size. */
export function landmarkSheet(examples: readonly LandmarkExample[], cellSize = 320): Canvas {
  const cells = examples.map(({ image, layers, caption }) => {
    const ratio = cellSize / Math.max(image.width, image.height);
    const picture = new Canvas(image.width * ratio, image.height * ratio);
    picture.draw(resize(image, picture.width, picture.height), 0, 0);
    for (const { points, color } of layers) {
      for (let index = 0; index + 1 < points.length; index += 2) {
        picture.disc(points[index]! * ratio, points[index + 1]! * ratio, 1.2, color);
      }
    }
    return { image: picture, caption };
  });
  return contactSheet(cells, { columns: Math.min(4, Math.max(1, examples.length)), cellSize });
}
