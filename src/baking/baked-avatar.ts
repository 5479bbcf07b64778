import type { Avatar } from '../avatar/avatar.ts';
import { sampleMaps, type AttributeMaps, type MappedAttributes } from './attribute-maps.ts';

/** A fitted avatar whose Gaussians read their attributes from maps. The network that made the maps is not part of it. */
export interface BakedAvatar {
  /** The fitted avatar: its head, and where its Gaussians sit. */
  readonly avatar: Avatar;
  readonly maps: AttributeMaps;
  readonly mapped: MappedAttributes;
}

/** The avatar with its Gaussians' attributes read from the maps: what is rendered, scored and exported. */
export function bakedGaussians({ avatar, maps, mapped }: BakedAvatar): Avatar {
  return { ...avatar, gaussians: sampleMaps(maps, avatar.head, avatar.gaussians, mapped) };
}
