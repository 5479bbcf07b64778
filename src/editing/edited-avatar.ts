import type { Avatar } from '../avatar/avatar.ts';
import { sampleMaps } from '../baking/attribute-maps.ts';
import type { BakedAvatar } from '../baking/baked-avatar.ts';
import type { Image } from '../video/frame.ts';
import { withPatch } from './detail-patch.ts';
import { flattenEdits, type FlattenedEdits } from './flatten.ts';
import { headSurface } from './head-surface.ts';
import type { Layer } from './layers.ts';
import type { PatchOptions } from './make-patch.ts';
import { placeGaussians } from './visible-surface.ts';

/** An avatar with its edits, and what they were flattened to. */
export interface EditedAvatar {
  /** To render, score and export: Gaussians that read the edited maps, with finer ones under what is finer than they. */
  readonly avatar: Avatar;
  readonly flattened: FlattenedEdits;
}

/**
 * Puts layers on a baked avatar. `baked.avatar.gaussians` may be another set than the fitted one, such as one sampled
 * from the maps at another count. Throws `EditError`.
 */
export function editAvatar(
  { avatar, maps, mapped }: BakedAvatar,
  layers: readonly Layer[],
  images: ReadonlyMap<string, Image>,
  options: PatchOptions = {},
): EditedAvatar {
  const surface = headSurface(avatar);
  const { head, canonicalSizes } = avatar;
  const unedited = sampleMaps(maps, head, avatar.gaussians, mapped);
  const flattened = flattenEdits({ surface, maps, gaussians: unedited, canonicalSizes, layers, images }, options);
  const { coarseMaps, patch } = flattened;
  const coarse = sampleMaps(coarseMaps, head, avatar.gaussians, mapped);
  const edited = { ...avatar, gaussians: coarse };
  if (!patch) return { avatar: edited, flattened };
  const placed = placeGaussians(surface, coarse, canonicalSizes);
  return { avatar: withPatch(edited, surface, placed, patch), flattened };
}
