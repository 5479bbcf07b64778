/** One curve of a plot. */
export interface Curve {
  readonly name: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

const WIDTH = 720;
const HEIGHT = 320;
const LEFT = 64;
const RIGHT = 16;
const TOP = 32;
const BOTTOM = 40;
const COLORS = ['#2563eb', '#d97706', '#059669', '#c026d3', '#64748b'];

/** `loss.svg`: curves over the steps, the value on a logarithmic axis. Values that are not positive are left out. */
export function lossPlot(curves: readonly Curve[], title = 'loss over steps'): string {
  const points = curves.map((curve) => positivePoints(curve));
  const all = points.flat();
  const lastX = Math.max(1, ...all.map(([x]) => x));
  const logs = all.map(([, y]) => Math.log10(y));
  const low = all.length > 0 ? Math.floor(Math.min(...logs) * 2) / 2 : -1;
  const high = all.length > 0 ? Math.max(low + 0.5, Math.ceil(Math.max(...logs) * 2) / 2) : 0;
  const placeX = (x: number): number => LEFT + (x / lastX) * (WIDTH - LEFT - RIGHT);
  const placeY = (log: number): number => TOP + ((high - log) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="18" fill="#20222a" font-size="13">${escapeXml(title)}</text>`,
  ];
  for (let log = low; log <= high + 1e-9; log += 0.5) {
    const y = placeY(log).toFixed(1);
    parts.push(
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" stroke="#e5e7eb"/>`,
      `<text x="${LEFT - 8}" y="${y}" dy="4" text-anchor="end" fill="#6b7280">${shortNumber(10 ** log)}</text>`,
    );
  }
  for (const x of niceTicks(lastX)) {
    parts.push(
      `<text x="${placeX(x).toFixed(1)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle" fill="#6b7280">${x}</text>`,
    );
  }
  curves.forEach((curve, index) => {
    const color = COLORS[index % COLORS.length]!;
    const path = points[index]!.map(([x, y]) => `${placeX(x).toFixed(1)},${placeY(Math.log10(y)).toFixed(1)}`).join(
      ' ',
    );
    parts.push(
      `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="1.5" stroke-linejoin="round"/>`,
      `<text x="${WIDTH - RIGHT}" y="${18 + index * 15}" text-anchor="end" fill="${color}">${escapeXml(curve.name)}</text>`,
    );
  });
  return `${parts.join('\n')}\n</svg>\n`;
}

/** At most about 700 points of a curve (more than the plot has pixels for), each the mean over its stretch. */
function positivePoints({ x, y }: Curve): [number, number][] {
  const stretch = Math.max(1, Math.ceil(x.length / 700));
  const points: [number, number][] = [];
  for (let start = 0; start < x.length; start += stretch) {
    const values: number[] = [];
    for (let index = start; index < Math.min(x.length, start + stretch); index++) {
      if (y[index]! > 0 && Number.isFinite(y[index]!)) values.push(y[index]!);
    }
    if (values.length > 0) points.push([x[start]!, values.reduce((sum, value) => sum + value, 0) / values.length]);
  }
  return points;
}

/** About five round positions from 0 to the last step. */
function niceTicks(last: number): number[] {
  const raw = last / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw) ?? raw;
  return Array.from({ length: Math.floor(last / step) + 1 }, (_, index) => Number((index * step).toPrecision(6)));
}

function shortNumber(value: number): string {
  return value >= 0.01 && value < 1000 ? String(Number(value.toPrecision(2))) : value.toExponential(0);
}

/** Text as XML and HTML take it. */
export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
