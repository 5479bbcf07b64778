/** Fewest and most Gaussians that baked maps are sampled to. */
export const GAUSSIAN_LIMITS = { least: 1000, most: 500_000 } as const;
