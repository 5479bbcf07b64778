import type { RegionName } from '../head/head-model.ts';
import type { BlendMode } from './blend-modes.ts';

/** An edit cannot be made or read: the message names what is wrong and the way out. Nothing was changed. */
export class EditError extends Error {
  override readonly name = 'EditError';
}

/** What every layer has. Layers lie over the baked colour map in the order of the list, the last on top. */
export interface LayerFacts {
  /** Unique in a list. */
  readonly name: string;
  readonly isVisible: boolean;
  /** 0…1. */
  readonly opacity: number;
  readonly blend: BlendMode;
  /**
   * Image file whose lightness (times alpha) says where the layer shows: over a sticker's own picture, over the atlas
   * for other kinds. Null: everywhere.
   */
  readonly mask: string | null;
  /** Parts of the head that the layer is kept to; null: all that its kind reaches. */
  readonly regions: readonly RegionName[] | null;
}

/** A picture laid on the skin. */
export interface StickerLayer extends LayerFacts {
  readonly kind: 'sticker';
  readonly image: string;
  /** Point of the atlas that its middle lies on. */
  readonly at: readonly [u: number, v: number];
  /** Width on the surface, metres; the height follows from the picture. */
  readonly size: number;
  /** Degrees, clockwise as seen from outside with the head upright. */
  readonly turn: number;
}

/** A line painted along points of the surface. */
export interface StrokeLayer extends LayerFacts {
  readonly kind: 'stroke';
  readonly points: readonly (readonly [u: number, v: number])[];
  /** Metres on the surface. */
  readonly radius: number;
  /** 0: fades from the middle; 1: a sharp edge. */
  readonly hardness: number;
  /** #rrggbb. */
  readonly color: string;
  /** Distance between dabs over the radius: above about 1.5 they come apart into dots. */
  readonly spacing: number;
}

export const RECOLOR_PARTS = ['hair', 'lips', 'skin', 'iris'] as const;
export type RecolorPart = (typeof RECOLOR_PARTS)[number];

/** Another colour for a part of the head, under the same shading. */
export interface RecolorLayer extends LayerFacts {
  readonly kind: 'recolor';
  readonly part: RecolorPart;
  readonly color: string;
}

/** The colours of an example picture, by mean and covariance in OKLab. */
export interface MatchLayer extends LayerFacts {
  readonly kind: 'matchColors';
  readonly image: string;
}

/** What a style network made of the layers below it when it was added. */
export interface StyleLayer extends LayerFacts {
  readonly kind: 'style';
  readonly image: string;
  readonly network: string;
}

/** A picture over the whole atlas, as painted in another program. */
export interface PaintLayer extends LayerFacts {
  readonly kind: 'paint';
  readonly image: string;
}

export type Layer = StickerLayer | StrokeLayer | RecolorLayer | MatchLayer | StyleLayer | PaintLayer;
export type LayerKind = Layer['kind'];
export const LAYER_KINDS: readonly LayerKind[] = ['sticker', 'stroke', 'recolor', 'matchColors', 'style', 'paint'];

export const LAYER_DEFAULTS: Omit<LayerFacts, 'name'> = {
  isVisible: true,
  opacity: 1,
  blend: 'normal',
  mask: null,
  regions: null,
};

/** Image files that a layer needs. */
export function layerImages(layer: Layer): string[] {
  const own = 'image' in layer ? [layer.image] : [];
  return layer.mask === null ? own : [...own, layer.mask];
}
