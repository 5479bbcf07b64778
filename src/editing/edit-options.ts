import { choice, integer, number, text, toggle, type OptionValues } from '../options.ts';
import { BLEND_MODES } from './blend-modes.ts';
import { NAMED_PLACES } from './named-places.ts';
import { STYLE_RANGES } from './style-ranges.ts';

/** Options of `fate edit`: one of the actions, and how it is done. */
export const EDIT_ACTIONS = {
  sticker: text({ default: null, placeholder: 'IMAGE', help: 'lay a picture on the skin (PNG with alpha, JPEG, WebP)' }),
  brush: text({ default: null, placeholder: 'COLOR', help: 'paint a line through the points of --at, --pick or --on' }),
  recolor: text({ default: null, placeholder: 'PART=COLOR', help: 'another colour for hair, lips, skin or iris, under the same shading: hair=#3a1f7a' }),
  matchColors: text({ default: null, placeholder: 'PICTURE', help: 'give the head the colours of a picture' }),
  style: text({ default: null, placeholder: 'NET.onnx', help: 'run an image-to-image network over the colour map as it is now' }),
  importColor: text({ default: null, placeholder: 'FILE.png', help: 'put a colour map on the head that was painted in another program' }),
  exportColor: text({ default: null, placeholder: 'FILE.png', help: 'write the colour map with all layers, to paint on' }),
  list: toggle({ help: 'show the layers, the topmost first' }),
  toggle: text({ default: null, placeholder: 'NAME', help: 'hide a layer, or show it again' }),
  remove: text({ default: null, placeholder: 'NAME', help: 'remove a layer' }),
  change: text({ default: null, placeholder: 'NAME', help: 'change a layer’s --opacity, --blend, --mask, --size, --turn, --radius, --hardness or place' }),
  undo: toggle({ help: 'take the last change back, also one of an earlier call' }),
  redo: toggle({ help: 'do again what was undone' }),
} as const; // prettier-ignore

export const EDIT_PLACEMENT = {
  at: text({ default: null, placeholder: 'U,V', help: 'where: a point of the atlas, 0 to 1 from the top left (see baked/uv-regions.png); several for a brush: "0.2,0.3 0.25,0.3"' }),
  pick: text({ default: null, placeholder: 'X,Y', help: 'where: a pixel of the picture that `fate render` draws with the same --yaw, --pitch, --expression and --picture' }),
  on: text({ default: null, placeholder: 'PLACE', help: `where: ${Object.keys(NAMED_PLACES).join(', ')}; left and right are the subject’s` }),
  yaw: number({ default: 0, min: -180, max: 180, unit: 'degrees', help: 'of the picture picked in' }),
  pitch: number({ default: 0, min: -89, max: 89, unit: 'degrees', help: 'of the picture picked in' }),
  expression: text({ default: null, placeholder: 'LIST', help: 'of the picture picked in, such as smile=0.8' }),
  picture: integer({ default: 512, min: 16, max: 4096, unit: 'pixels', help: 'edge of the picture picked in: its --size' }),
} as const; // prettier-ignore

export const EDIT_LOOK = {
  size: number({ default: 0.03, min: 0.001, max: 0.5, unit: 'metres', help: 'width of a sticker on the skin' }),
  turn: number({ default: 0, min: -360, max: 360, unit: 'degrees', help: 'turn of a sticker, clockwise as seen from outside' }),
  radius: number({ default: 0.003, min: 0.0002, max: 0.1, unit: 'metres', help: 'of a brush' }),
  hardness: number({ default: 0.8, min: 0, max: 1, help: 'of a brush: 1 has a sharp edge, 0 fades from its middle' }),
  spacing: number({ default: 0.3, min: 0.05, max: 20, unit: 'radii', help: 'from dab to dab of a brush; 3 makes dots' }),
  styleRange: choice({ choices: STYLE_RANGES, default: '0..1', placeholder: 'RANGE', help: `values of black and white that a style network takes and gives: ${STYLE_RANGES.join(', ')}` }),
  name: text({ default: null, placeholder: 'NAME', help: 'of the new layer; made up otherwise' }),
  opacity: number({ default: 1, min: 0, max: 1, help: 'of the layer' }),
  blend: choice({ choices: BLEND_MODES, default: 'normal', placeholder: 'MODE', help: `how the layer meets what is below it: ${BLEND_MODES.join(', ')}` }),
  mask: text({ default: null, placeholder: 'IMAGE', help: 'where the layer shows: white does, black does not; over a sticker’s picture, over the atlas for other layers' }),
  only: text({ default: null, placeholder: 'REGIONS', help: 'keep the layer to regions of the head, such as face,lips (names: uv-regions.png)' }),
} as const; // prettier-ignore

export const EDIT_OPTIONS = { ...EDIT_ACTIONS, ...EDIT_PLACEMENT, ...EDIT_LOOK } as const;
export type EditOptions = OptionValues<typeof EDIT_OPTIONS>;
