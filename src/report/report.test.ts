import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dataUrl, encodePng } from '../platform/node/image-file.ts';
import type { Image } from '../video/frame.ts';
import { Canvas, resize, textWidth } from './canvas.ts';
import { lossPlot } from './loss-plot.ts';
import { reportPage } from './report-page.ts';
import { contactSheet, errorImage, expressionSheet, heldOutSheet, landmarkSheet, turntableSheet } from './sheets.ts';

/** Pictures for a reader go here when FATE_LOOK names a folder. */
function show(name: string, content: Uint8Array | string): void {
  const folder = process.env.FATE_LOOK;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), content);
}

/** A disc with soft shading on transparent ground. */
function ball(edge: number, hue: readonly [number, number, number], shift = 0): Image {
  const data = new Uint8Array(edge * edge * 4);
  for (let pixel = 0; pixel < edge * edge; pixel++) {
    const [x, y] = [((pixel % edge) - edge / 2 - shift) / edge, (Math.floor(pixel / edge) - edge / 2) / edge];
    const light = Math.max(0.2, 1 - Math.hypot(x + 0.15, y + 0.15) * 1.6);
    if (Math.hypot(x, y) < 0.4) data.set([...hue.map((value) => value * light), 255], pixel * 4);
  }
  return { width: edge, height: edge, channels: 4, data };
}

const pixel = (image: Image, x: number, y: number): number[] => [
  ...image.data.subarray((y * image.width + x) * image.channels, (y * image.width + x) * image.channels + 3),
];

describe('Canvas', () => {
  it('draws pictures over what is there, by their alpha, cut at the edge', () => {
    const canvas = new Canvas(4, 4, [0, 0, 0]);
    const image: Image = {
      width: 2,
      height: 2,
      channels: 4,
      data: Uint8Array.from({ length: 16 }, (_, i) => (i % 4 === 3 ? 128 : 200)),
    };
    canvas.draw(image, 3, -1);
    expect(pixel(canvas, 3, 0)).toEqual([100, 100, 100]);
    expect(pixel(canvas, 2, 0)).toEqual([0, 0, 0]);
    expect(pixel(canvas, 3, 1)).toEqual([0, 0, 0]);
  });

  it('writes text of the width it says', () => {
    const canvas = new Canvas(60, 10);
    canvas.text(0, 0, 'Hi 30°', 1);
    const inked = [...Array(60).keys()].filter((x) => [...Array(10).keys()].some((y) => pixel(canvas, x, y)[0]! < 255));
    expect(inked[0]).toBe(0);
    expect(inked.at(-1)).toBeLessThan(textWidth('Hi 30°', 1));
    expect(inked.at(-1)).toBeGreaterThanOrEqual(textWidth('Hi 30°', 1) - 2); // ° is narrower than its cell
  });

  it('shrinks by means and grows by repetition', () => {
    const image: Image = {
      width: 2,
      height: 2,
      channels: 3,
      data: Uint8Array.of(0, 0, 0, 100, 100, 100, 100, 100, 100, 200, 200, 200),
    };
    expect([...resize(image, 1, 1).data]).toEqual([100, 100, 100]);
    expect([...resize(image, 4, 2).data].filter((_, index) => index % 3 === 0)).toEqual([
      0, 0, 100, 100, 100, 100, 200, 200,
    ]);
    expect(resize(image, 3, 5).data).toHaveLength(45);
  });
});

describe('sheets', () => {
  const truth = ball(128, [230, 170, 140]);
  const rendering = ball(128, [225, 165, 140], 3);

  it('draw the error white where pictures agree, dark where they do not', () => {
    const error = errorImage(truth, rendering);
    expect(pixel(error, 2, 2)).toEqual([255, 255, 255]);
    expect(pixel(error, 64 - 51, 64)[1]).toBeLessThan(120); // the rim that moved
    expect(() => errorImage(truth, resize(rendering, 64, 64))).toThrow('128×128 and 64×64');
  });

  it('place every picture and caption', async () => {
    const examples = [3, 17, 40].map((index) => ({ truth, rendering, caption: `frame ${index} · 27.4 dB` }));
    const heldOut = heldOutSheet(examples, 128);
    expect([heldOut.width, heldOut.height]).toEqual([32 + 86 + 3 * 136 - 8, 32 + 30 + 3 * 136 + 22 - 8]);
    const views = [0, 45, 90, 135, 180, 225, 270, 315].map((yaw) => ({
      yaw,
      image: ball(128, [200, 150, 120], yaw / 30),
    }));
    const turntable = turntableSheet(views, 128);
    expect([turntable.width, turntable.height]).toEqual([32 + 4 * 136 - 8, 32 + 2 * 158 - 8]);
    const expressions = expressionSheet(
      ['neutral', 'smile', 'blink', 'jaw open'].map((caption) => ({ image: truth, caption })),
      128,
    );
    const points = Float32Array.from(
      { length: 40 },
      (_, index) => 64 + 40 * (index % 2 ? Math.sin(index) : Math.cos(index + 1)),
    );
    const landmarks = landmarkSheet([
      { image: truth, caption: 'frame 3 · 1.2 px', layers: [{ points, color: [0, 160, 80] }] },
    ]);
    for (const [name, sheet] of Object.entries({ heldOut, turntable, expressions, landmarks })) {
      const png = await encodePng(sheet);
      expect([...png.subarray(1, 4)]).toEqual([0x50, 0x4e, 0x47]);
      expect(new Set(sheet.data).size).toBeGreaterThan(10);
      show(`${name}.png`, png);
    }
  });

  it('take no pictures at all, and pictures that are not square', () => {
    expect(contactSheet([], { columns: 1, cellSize: 32 }).width).toBe(64);
    const wide: Image = { width: 40, height: 10, channels: 3, data: new Uint8Array(1200) };
    const sheet = contactSheet([{ image: wide, caption: 'a caption far too long for so small a picture' }], {
      columns: 1,
      cellSize: 32,
    });
    expect(pixel(sheet, 16 + 16, 16 + 16)).toEqual([0, 0, 0]);
    expect(pixel(sheet, 16 + 16, 16 + 2)).toEqual([255, 255, 255]);
  });
});

describe('lossPlot', () => {
  it('draws each curve in the frame, whatever its values', () => {
    const x = Float32Array.from({ length: 5000 }, (_, step) => step);
    const y = x.map((step) => 0.3 * Math.exp(-step / 900) + 0.02 + 0.01 * Math.sin(step));
    const svg = lossPlot([
      { name: 'all <terms>', x, y },
      { name: 'SSIM', x, y: y.map((value) => value / 3) },
    ]);
    show('loss.svg', svg);
    const coordinates = [...svg.matchAll(/points="([^"]+)"/g)].flatMap((match) => match[1]!.split(' '));
    expect(coordinates.length).toBeGreaterThan(1000);
    for (const coordinate of coordinates) {
      const [px, py] = coordinate.split(',').map(Number);
      expect(px! >= 64 && px! <= 704 && py! >= 32 && py! <= 280).toBe(true);
    }
    expect(svg).toContain('all &lt;terms&gt;');
    expect(lossPlot([{ name: 'none', x: [0, 1], y: [0, Number.NaN] }])).toContain('points=""');
    expect(lossPlot([{ name: 'one', x: [0], y: [0.5] }])).not.toContain('NaN');
  });
});

describe('reportPage', () => {
  const scores = { psnr: 27.123, psnrForeground: 23.5, ssim: 0.91234 };
  const metrics = {
    heldOut: {
      ...scores,
      lpips: null,
      frames: 40,
      fitted: { psnr: 29.1, psnrForeground: null, ssim: 0.93 },
      uncorrected: scores,
    },
    gaussianCount: 16384,
    stepsPerSecond: 31.5,
    seconds: { track: 55, fit: 300, total: 371 },
    peakMemoryMB: 1234.5,
    seed: 1,
    avatarSha256: 'abc',
    adapter: 'llvmpipe',
    frames: { video: 200, tracked: 200, excluded: 3, trained: 158 },
    warnings: ['two faces <b>; the larger one was taken'],
    perFrame: [],
  };

  it('is one self-contained page with scores, warnings and pictures', async () => {
    const url = dataUrl('image/png', await encodePng(ball(64, [200, 100, 80])));
    const page = reportPage({
      title: 'selfie & glasses',
      metrics,
      facts: [['Head model', 'builtin']],
      pictures: [{ title: 'Turntable', text: 'Eight views.', url }],
      lossSvg: lossPlot([{ name: 'all', x: [0, 1, 2], y: [1, 0.5, 0.3] }]),
    });
    show('report.html', page);
    expect(page).toMatch(/PSNR<\/th><td>29\.10 dB<\/td><td>27\.12 dB/);
    expect(page).toMatch(/PSNR, foreground<\/th><td>–<\/td><td>23\.50 dB/);
    expect(page).toContain('two faces &lt;b&gt;; the larger');
    expect(page).toContain('<title>selfie &amp; glasses</title>');
    expect([...page.matchAll(/(?:src|href)="([^"]{0,5})/g)].map((match) => match[1])).toEqual(['data:']);
    expect(reportPage({ title: 'x', metrics: { ...metrics, heldOut: null }, facts: [], pictures: [] })).toContain(
      'No frame was held out',
    );
  });
});
