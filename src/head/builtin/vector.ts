/** A point or direction in head-design space: centimetres, axes of the canonical face (x left, y up, z forward). */
export type Vector = readonly [number, number, number];

export const add = (a: Vector, b: Vector): Vector => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const subtract = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scale = (a: Vector, factor: number): Vector => [a[0] * factor, a[1] * factor, a[2] * factor];
export const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
export const length = (a: Vector): number => Math.hypot(a[0], a[1], a[2]);
export const normalize = (a: Vector): Vector => scale(a, 1 / (length(a) || 1));
export const mix = (a: Vector, b: Vector, t: number): Vector => [
  a[0] + (b[0] - a[0]) * t,
  a[1] + (b[1] - a[1]) * t,
  a[2] + (b[2] - a[2]) * t,
];
export const mean = (points: readonly Vector[]): Vector =>
  scale(points.reduce(add, [0, 0, 0]), 1 / Math.max(1, points.length));

/** Point `index` of a packed N×3 array. */
export const pointAt = (points: ArrayLike<number>, index: number): Vector => [
  points[index * 3],
  points[index * 3 + 1],
  points[index * 3 + 2],
];

export const setPoint = (points: { [index: number]: number }, index: number, value: Vector): void => {
  points[index * 3] = value[0];
  points[index * 3 + 1] = value[1];
  points[index * 3 + 2] = value[2];
};

/** 0 below `from`, 1 above `to`, smooth between (`from` may exceed `to`). */
export const smoothstep = (from: number, to: number, value: number): number => {
  const t = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return t * t * (3 - 2 * t);
};

/** Direction on the shorter arc from `a` to `b` (unit vectors). */
export const slerp = (a: Vector, b: Vector, t: number): Vector => {
  const angle = Math.acos(Math.min(1, Math.max(-1, dot(a, b))));
  if (angle < 1e-6) return a;
  return scale(add(scale(a, Math.sin((1 - t) * angle)), scale(b, Math.sin(t * angle))), 1 / Math.sin(angle));
};

/** x turned by `angle` radians about the axis through `origin` along the unit vector `axis` (Rodrigues). */
export const rotateAbout = (x: Vector, origin: Vector, axis: Vector, angle: number): Vector => {
  const v = subtract(x, origin);
  const along = dot(axis, v) * (1 - Math.cos(angle));
  const turned = add(add(scale(v, Math.cos(angle)), scale(cross(axis, v), Math.sin(angle))), scale(axis, along));
  return add(origin, turned);
};
