import type { Avatar } from '../../../avatar/avatar.ts';
import { bakedGaussians, type BakedAvatar } from '../../../baking/baked-avatar.ts';
import { editAvatar } from '../../../editing/edited-avatar.ts';
import { flattenMaps } from '../../../editing/flatten.ts';
import { headSurface } from '../../../editing/head-surface.ts';
import { readBaked } from '../baked-folder.ts';
import { readEdits, readImages } from '../edits-folder.ts';
import type { RunFolder } from '../run-folder.ts';
import { readAvatar } from './fit-run.ts';

/** Which of a run's avatars: as fitted, as read from its baked maps, or those with its edits (which are over the maps). */
export interface AvatarChoice {
  readonly baked?: boolean;
  readonly edited?: boolean;
}

/**
 * The avatar to draw, score or export. Throws `RunFolderError`, `MapsFileError`, `EditError`.
 */
export async function openAvatar(folder: RunFolder, { baked = false, edited = false }: AvatarChoice): Promise<Avatar> {
  const avatar = await readAvatar(folder);
  if (!baked && !edited) return avatar;
  const maps = await readBaked(folder.path, { avatar });
  if (!edited) return bakedGaussians(maps);
  const { layers } = await readEdits(folder.path, avatar.head);
  return editAvatar(maps, layers, await readImages(folder.path, layers)).avatar;
}

/** A run's baked maps, with its edits laid on them where asked for: what is sampled at another count, or packed. */
export async function openMaps(folder: RunFolder, { edited = false }: AvatarChoice): Promise<BakedAvatar> {
  const avatar = await readAvatar(folder);
  const baked = await readBaked(folder.path, { avatar });
  if (!edited) return baked;
  const { layers } = await readEdits(folder.path, avatar.head);
  const images = await readImages(folder.path, layers);
  return { ...baked, maps: flattenMaps({ surface: headSurface(baked.avatar), maps: baked.maps, layers, images }) };
}
