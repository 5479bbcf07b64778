/** Values that a style network takes and gives for black and white. */
export const STYLE_RANGES = ['0..1', '0..255', '-1..1'] as const;
export type StyleRange = (typeof STYLE_RANGES)[number];
